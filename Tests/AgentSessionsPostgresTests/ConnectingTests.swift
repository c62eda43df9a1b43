#if Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
@testable import AgentSessionsPostgres
import AgentSessionsPostgresServer
import Testing

/// The ways in which libpq connects to a server: several hosts, passwords, TLS.
@Suite("Connections to Postgres", .enabled(if: PostgresCluster.isInstalled, "PostgreSQL is not installed"))
struct ConnectingTests {
    /// Opens a store by its URL, and gives the settings in force.
    private func open(_ url: String) async throws(StoreError) -> [StoreSetting] {
        let store = try await StoreConfiguration.load(store: url, environment: [:]).open()
        let settings = try await store.effectiveSettings()
        await store.close()
        return settings
    }

    @Test("The first of several hosts that answers and accepts writes is used, in every form of libpq's URLs")
    func hosts() async throws {
        let cluster = try PostgresCluster.shared()
        let escaped = cluster.folder.replacing("/", with: "%2F")
        for (number, url) in [
            "postgres:///postgres?host=/nonexistent,\(cluster.folder)&user=postgres&target_session_attrs=read-write",
            "postgresql://postgres@\(escaped)/postgres?connect_timeout=3",
            "postgres://postgres@127.0.0.1:1,\(escaped):5432/postgres?target_session_attrs=primary",
        ].enumerated() {
            let settings = try await open("\(url)&schema=hosts_\(number)")
            #expect(settings.contains(StoreSetting("schema", "hosts_\(number)")))
            #expect(settings.contains(StoreSetting("tls", "off")))
        }
    }

    @Test("A host that does not answer takes connect_timeout, and then the next one is tried")
    func lateHost() async throws {
        let cluster = try PostgresCluster.shared()
        let silent = try SilentServer()
        defer { silent.stop() }
        let place = "host=127.0.0.1,\(cluster.folder)&port=\(silent.port),5432&user=postgres&connect_timeout=1"
        let start = ContinuousClock.now
        let settings = try await open("postgres:///postgres?\(place)&schema=\(PostgresCluster.freshSchema())")
        #expect(ContinuousClock.now - start >= .seconds(1))
        #expect(settings.contains(StoreSetting("tls", "off")))
        // The error names each host that was tried.
        do throws(StoreError) {
            _ = try await open(
                "postgres:///postgres?host=127.0.0.1,/nonexistent&port=\(silent.port),5432&user=postgres"
                    + "&connect_timeout=1")
            Issue.record("it was opened")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.message.contains("connect_timeout") && error.message.contains("/nonexistent"), "\(error)")
        }
    }

    @Test("A password that OpenSSL would truncate is refused")
    func longKeyPassword() async throws {
        let password = String(repeating: "hunter2", count: 150)
        do throws(StoreError) {
            _ = try await open("postgres:///postgres?host=/nonexistent&sslpassword=\(password)")
            Issue.record("it was opened")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains("1023") && !error.message.contains("hunter2"), "\(error)")
        }
    }

    @Test("The other addresses of a host that does not answer are tried first, and then the other hosts")
    func addressesAfter() {
        let options = ["host": "a,b,/folder", "port": "1,2,3", "hostaddr": ",::1,"]
        let list = ServerAddress.list(options)
        #expect(list.map(\.host) == ["a", "b", "/folder"])
        #expect(list.map(\.port) == ["1", "2", "3"])
        #expect(list.map(\.hostAddress) == ["", "::1", ""])
        let addresses = ["a": ["10.0.0.1", "10.0.0.2", "10.0.0.3"]]
        func after(_ host: String, _ address: String, _ port: String) -> [String] {
            list.following(ServerAddress(host: host, hostAddress: address, port: port)) { addresses[$0] ?? [] }
                .map { "\($0.host) \($0.hostAddress) \($0.port)" }
        }
        #expect(after("a", "10.0.0.1", "1") == ["a 10.0.0.2 1", "a 10.0.0.3 1", "b ::1 2", "/folder  3"])
        #expect(after("a", "10.0.0.3", "1") == ["b ::1 2", "/folder  3"])
        #expect(after("a", "10.9.9.9", "1") == ["b ::1 2", "/folder  3"])
        #expect(after("b", "::1", "2") == ["/folder  3"])
        #expect(after("b", "0:0::1", "2") == ["/folder  3"])
        #expect(after("/folder", "", "3").isEmpty)
        #expect(ServerAddress.list(["hostaddr": "10.0.0.1,10.0.0.2", "port": "7"]).map(\.port) == ["7", "7"])
        #expect(ServerAddress.list(["port": "5432"]).isEmpty)
        #expect(!ServerAddress.addresses(of: "localhost").isEmpty)
    }

    @Test("A password comes from the URL or a passfile, and a wrong one is refused at once")
    func passwords() async throws {
        let cluster = try PostgresCluster.shared()
        let passfile = "\(cluster.folder)/passfile"
        try "*:*:*:keeper:right\n".write(toFile: passfile, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passfile)
        try await cluster.sql("CREATE USER keeper PASSWORD 'right'; GRANT CREATE ON DATABASE postgres TO keeper")
        let place = "postgres:///postgres?host=\(cluster.folder)&user=keeper"
        for (number, way) in ["password=right", "passfile=\(passfile)"].enumerated() {
            _ = try await open("\(place)&schema=keeper_\(number)&\(way)")
        }
        for way in ["password=hunter2", "passfile=/nonexistent", "password=hunter2&passfile=\(passfile)"] {
            do throws(StoreError) {
                _ = try await open("\(place)&\(way)")
                Issue.record("\(way) was enough")
            } catch {
                #expect(error.code == .unavailable)
                #expect(error.isRefusedLogin)
                #expect(error.message.contains("passfile"))
                #expect(!error.message.contains("hunter2"))
            }
        }
    }

    @Test("TLS with verify-full accepts only a server with a trusted certificate for its name")
    func tls() async throws {
        let folder = "/tmp/agent-sessions-tls-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, host) in [("right", "localhost"), ("wrong", "elsewhere")] {
            try Shell.run([
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(host)",
                "-addext", "subjectAltName=DNS:\(host)", "-keyout", "\(folder)/\(name).key", "-out",
                "\(folder)/\(name).crt",
            ])
        }
        if geteuid() == 0 { try Shell.run(["chown", "-R", "nobody", folder]) }
        try Shell.run(["chmod", "600", "\(folder)/right.key", "\(folder)/wrong.key"])
        let port = try Self.freePort()
        let cluster = try PostgresCluster([
            "listen_addresses": "'localhost'", "port": "\(port)", "ssl": "on",
            "ssl_cert_file": "'\(folder)/right.crt'", "ssl_key_file": "'\(folder)/right.key'",
        ])
        let place = "postgres://postgres@localhost:\(port)/postgres?sslmode=verify-full"
        let settings = try await open("\(place)&sslrootcert=\(folder)/right.crt")
        #expect(settings.contains(StoreSetting("tls", "on")))
        await expectError(.unavailable) { try await open("\(place)&sslrootcert=\(folder)/wrong.crt") }
        await expectError(.unavailable) { try await open("\(place)&sslrootcert=/nonexistent") }
        await expectError(.unavailable) {
            try await open(
                "postgres://postgres@127.0.0.1:\(port)/postgres?sslmode=verify-full&sslrootcert=\(folder)/right.crt")
        }
        try cluster.stop()
    }

    /// A port on which no process listens at this moment.
    private static func freePort() throws -> UInt16 {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) + getsockname(listener, $0, &length)
            }
        }
        guard status == 0 else { throw TestFailure("there is no free port") }
        return UInt16(bigEndian: address.sin_port)
    }
}
#endif
