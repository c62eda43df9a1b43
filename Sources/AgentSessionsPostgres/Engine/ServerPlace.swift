#if Postgres
internal import CAgentSessionsLibPQ

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Where a server is: an entry of libpq's lists of hosts, addresses and ports.
struct ServerPlace: Equatable, CustomStringConvertible {
    /// Its name, or the folder of its socket; empty where it has none.
    let host: String
    /// Its address, where one is known or given; else empty.
    let address: String
    /// Its port; empty for the default.
    let port: String

    init(host: String, address: String, port: String) {
        self.host = host
        self.address = address
        self.port = port
    }

    /// The one that a connection is being made to.
    init(of connection: OpaquePointer) {
        func text(_ value: UnsafePointer<CChar>?) -> String { value.map { String(cString: $0) } ?? "" }
        self.init(
            host: text(PQhost(connection)), address: text(PQhostaddr(connection)), port: text(PQport(connection)))
    }

    var description: String { "\(host.isEmpty ? address : host) (port \(port))" }

    /// The entries of lists that are separated by commas, as libpq reads them: as many as there are hosts or addresses,
    /// and one port for all or one for each.
    static func list(_ options: [String: String]) -> [ServerPlace] {
        func entries(_ keyword: String) -> [String] {
            guard let list = options[keyword], !list.isEmpty else { return [] }
            return list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let (hosts, addresses, ports) = (entries("host"), entries("hostaddr"), entries("port"))
        return (0..<max(hosts.count, addresses.count)).map { index in
            ServerPlace(
                host: hosts.indices.contains(index) ? hosts[index] : "",
                address: addresses.indices.contains(index) ? addresses[index] : "",
                port: ports.indices.contains(index) ? ports[index] : ports.count == 1 ? ports[0] : "")
        }
    }
}

extension [ServerPlace] {
    /// What is to be tried after `place`: the addresses that come after its own in its entry, and the entries after that.
    ///
    /// - Parameter lookUp: The addresses of a host, in order.
    func following(
        _ place: ServerPlace, lookUp: (String) -> [String] = ServerPlace.addresses
    ) -> [ServerPlace] {
        let matches = indices.filter { index in
            let entry = self[index]
            return (entry.host.isEmpty || entry.host == place.host) && (entry.port.isEmpty || entry.port == place.port)
        }
        // An address may be written in several ways.
        let exact = matches.first { self[$0].address.isEmpty || self[$0].address == place.address }
        guard let index = exact ?? matches.first else { return [] }
        let entry = self[index]
        var rest = self[(index + 1)...]
        if entry.address.isEmpty, !entry.host.isEmpty, !entry.host.hasPrefix("/") {
            let addresses = lookUp(entry.host)
            let passed = addresses.firstIndex(of: place.address) ?? addresses.endIndex
            rest =
                addresses.dropFirst(passed + 1).map {
                    ServerPlace(host: entry.host, address: $0, port: entry.port)
                } + rest
        }
        return Array(rest)
    }
}

extension ServerPlace {
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
