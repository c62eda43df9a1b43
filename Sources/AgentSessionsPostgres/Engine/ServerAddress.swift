#if Postgres
internal import CAgentSessionsLibPQ

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The address of a server: an entry of libpq's lists of hosts, addresses and ports.
struct ServerAddress: Equatable, CustomStringConvertible {
    /// The name of the host, or the folder of its socket; empty where it has none.
    let host: String
    /// The numeric address of the host, where one is known or given; otherwise empty.
    let hostAddress: String
    /// The port; empty for the default.
    let port: String

    var description: String { "\(host.isEmpty ? hostAddress : host) (port \(port))" }

    /// The entries of lists that are separated by commas, as libpq reads them: as many as there are hosts or addresses,
    /// and one port for all or one for each.
    static func list(_ options: [String: String]) -> [ServerAddress] {
        func entries(_ keyword: String) -> [String] {
            guard let list = options[keyword], !list.isEmpty else { return [] }
            return list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let (hosts, hostAddresses, ports) = (entries("host"), entries("hostaddr"), entries("port"))
        return (0..<max(hosts.count, hostAddresses.count)).map { index in
            ServerAddress(
                host: hosts.indices.contains(index) ? hosts[index] : "",
                hostAddress: hostAddresses.indices.contains(index) ? hostAddresses[index] : "",
                port: ports.indices.contains(index) ? ports[index] : ports.count == 1 ? ports[0] : "")
        }
    }
}

extension [ServerAddress] {
    /// What to try after `late`: the addresses that follow its own in its entry, and the entries after that.
    ///
    /// - Parameter lookUp: The addresses of a host, in order.
    func following(
        _ late: ServerAddress, lookUp: (String) -> [String] = ServerAddress.addresses
    ) -> [ServerAddress] {
        let matches = indices.filter { index in
            let entry = self[index]
            return (entry.host.isEmpty || entry.host == late.host) && (entry.port.isEmpty || entry.port == late.port)
        }
        // A numeric address can be written in several ways.
        let exact = matches.first { self[$0].hostAddress.isEmpty || self[$0].hostAddress == late.hostAddress }
        guard let index = exact ?? matches.first else { return [] }
        let entry = self[index]
        var rest = self[(index + 1)...]
        if entry.hostAddress.isEmpty, !entry.host.isEmpty, !entry.host.hasPrefix("/") {
            let addresses = lookUp(entry.host)
            let passed = addresses.firstIndex(of: late.hostAddress) ?? addresses.endIndex
            rest =
                addresses.dropFirst(passed + 1).map {
                    ServerAddress(host: entry.host, hostAddress: $0, port: entry.port)
                } + rest
        }
        return Array(rest)
    }
}

extension ServerAddress {
    /// The address that libpq is connecting to.
    init(of connection: OpaquePointer) {
        func text(_ value: UnsafePointer<CChar>?) -> String { value.map { String(cString: $0) } ?? "" }
        self.init(
            host: text(PQhost(connection)), hostAddress: text(PQhostaddr(connection)), port: text(PQport(connection)))
    }

    /// The addresses of a host, as libpq finds them.
    static func addresses(of host: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(streamSocket)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var addresses: [String] = []
        var next = first
        while let entry = next?.pointee {
            var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let status = getnameinfo(
                entry.ai_addr, entry.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST)
            if status == 0 {
                addresses.append(name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" })
            }
            next = entry.ai_next
        }
        return addresses
    }

    #if canImport(Glibc)
    private static let streamSocket = SOCK_STREAM.rawValue
    #else
    private static let streamSocket = SOCK_STREAM
    #endif
}
#endif
