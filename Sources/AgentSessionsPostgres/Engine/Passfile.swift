#if Postgres
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// libpq's file of passwords.
enum Passfile {
    /// The path of a file that never exists.
    static let none = "/dev/null/none"

    /// Why libpq would ignore its file of passwords, with a message on standard error; `nil` where it would not.
    ///
    /// Where a service names the file, only libpq knows which it is.
    static func ignored(by parameters: ConnectionAttempt.Parameters) -> String? {
        let given = Dictionary(parameters.map { ($0.keyword, $0.value) }) { _, last in last }
        guard given["service"] == nil, variable("PGSERVICE") == nil else { return nil }
        return (given["passfile"] ?? variable("PGPASSFILE") ?? home.map { "\($0)/.pgpass" }).flatMap(fault)
    }

    private static func fault(of path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return "the passfile \(path) is ignored: it is not a regular file"
        }
        guard status.st_mode & (S_IRWXG | S_IRWXO) == 0 else {
            return "the passfile \(path) is ignored: other users can access it; run chmod 600 on it"
        }
        return nil
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static var home: String? {
        if let home = variable("HOME") { return home }
        var (user, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
        var buffer = [CChar](repeating: 0, count: 1 << 14)
        // The texts of the entry lie in the buffer.
        return buffer.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress,
                getpwuid_r(geteuid(), &user, start, buffer.count, &found) == 0, found != nil,
                let folder = user.pw_dir
            else { return nil }
            return String(cString: folder)
        }
    }
}
#endif
