import Testing

@testable import AgentSessions

@Suite("Store URL")
struct StoreURLTests {
    @Test(
        "A store URL is split into scheme, location and parameters",
        arguments: [
            ("memory:", "memory", "", []),
            ("SQLite:sessions.db", "sqlite", "sessions.db", []),
            ("sqlite:///a?synchronous=full&x", "sqlite", "///a", ["synchronous=full", "x="]),
            ("s3+x:a:b?n=a=b&&m=%41%20+", "s3+x", "a:b", ["n=a=b", "m=A +"]),
            ("postgres://u@h1,h2:5/db?host=/run/pg", "postgres", "//u@h1,h2:5/db", ["host=/run/pg"]),
            ("sqlite:a?", "sqlite", "a", []),
            ("sqlite:a?n=1?2", "sqlite", "a", ["n=1?2"]),
            ("sqlite:a?\u{301}n=1", "sqlite", "a", ["\u{301}n=1"]),
        ])
    func parts(text: String, scheme: String, location: String, parameters: [String]) throws {
        let url = try StoreURL(parsing: text)
        #expect(url.scheme == scheme)
        #expect(url.location == location)
        #expect(url.parameters.map { "\($0.name)=\($0.value)" } == parameters)
    }

    @Test(
        "A text that is not a store URL is refused",
        arguments: [
            "", "sessions.db", ":x", "1a:x", "/tmp/a:b", "a b:c", "sq_lite:x", "sqlité:x", "a:?=1", "a:?n=1&n=2",
            "a:?n=%", "a:?n=%4", "a:?n=%GG", "a:?n=%FF", "a:?%00%=1", "a:?n&n",
        ])
    func refused(text: String) throws {
        #expect(try syncError { () throws(StoreError) in try StoreURL(parsing: text) }.code == .invalidArgument)
    }

    @Test(
        "File paths in a store URL are relative or absolute",
        arguments: [
            ("sqlite:a.db", "a.db"), ("sqlite:dir/a b.db", "dir/a b.db"), ("sqlite:/abs/a.db", "/abs/a.db"),
            ("sqlite:///abs/a.db", "/abs/a.db"), ("sqlite://localhost/abs/a.db", "/abs/a.db"),
            ("sqlite:a%3Fb%25.db", "a?b%.db"), ("sqlite:%C3%A9.db", "é.db"), ("sqlite:///\u{301}x", "/\u{301}x"),
        ])
    func paths(text: String, path: String) throws {
        #expect(try StoreURL(parsing: text).filePath() == path)
    }

    @Test(
        "A location that is not a valid path is refused as a file path",
        arguments: [
            "sqlite:", "sqlite://", "sqlite://localhost", "sqlite://server/a.db", "sqlite:a%00b", "sqlite:%F",
            "sqlite:%FF",
        ])
    func noPaths(text: String) throws {
        let url = try StoreURL(parsing: text)
        #expect(try syncError { () throws(StoreError) in try url.filePath() }.code == .invalidArgument)
    }

    @Test(
        "A store URL shows no password, escaped or not",
        arguments: [
            "postgres://app:s3cret@host/db?sslmode=require", "postgres://app:s3/cret@host/db",
            "postgres://app:s3?cret@host/db",
            "postgres://app:a@s3cret@host/db", "postgres://app:a:s3cret@host/db",
            "postgres://app:\u{301}s3cret@host/db",
            "postgres://app:s3cret@\u{301}host/db", "postgres:app:s3cret@host/db", "postgres:///db?password=s3cret",
            "postgres:///db?x=1&s3cret@host/db", "sqlite://app:s3cret@host/db", "postgres://app:s3cret",
            "postgres://app:abc?s3cret@host/db", "postgres://app:abc?s3cret=x@host/db",
            "postgres://app:abc?x=s3cret@host/db", "postgres://app:abc?x=1&s3cret&y=2@host/db?sslmode=x",
            "postgres://app:s3cret?x@host/db", "postgres://app:a/s3cret?x@host/db", "postgres://app:a@s3cret?x@host/db",
            "postgres:app:s3cret?x@host/db", "sqlite://app:s3cret?x@host/db", "postgres://app:1cret?x@host/db",
        ])
    func redaction(text: String) throws {
        let url = try StoreURL(parsing: text)
        #expect(!url.description.contains("cret"), "\(url)")
        #expect(!"\(Optional(url) as Any)".contains("cret"))
        do throws(StoreError) {
            _ = try url.filePath()
        } catch {
            #expect(!error.description.contains("cret"), "\(error)")
        }
    }

    @Test(
        "The error for an unreadable store URL shows no part of a password either",
        arguments: [
            "postgres://app:abc?s3cret=1&s3cret=2@host/db",
            "postgres://app:abc?s3cret=%zz@host/db", "postgres://app:abc?s3cret%zz@host/db",
            "postgres://app:abc?=s3cret@host/db",
        ])
    func unreadable(text: String) throws {
        let error = try syncError { () throws(StoreError) in try StoreURL(parsing: text) }
        #expect(error.code == .invalidArgument && !error.description.contains("cret"), "\(error)")
        #expect(StoreURL.shown(text) == "postgres:…")
    }

    @Test("The digits of a password that contains a ? are not taken for a port")
    func digits() throws {
        let url = try StoreURL(parsing: "postgres://app:1234?5678@host/db")
        #expect(url.description == "postgres://app:***?…=…")
        let error = try syncError { () throws(StoreError) in
            try StoreURL(parsing: "sqlite://app:1234?5678@host/db").filePath()
        }
        #expect(!error.description.contains("1234"), "\(error)")
    }

    @Test(
        "The rest of a store URL is shown",
        arguments: [
            ("sqlite:a.db", "sqlite:a.db"),
            ("postgres://u:p@h:5432/db?sslmode=x", "postgres://u:***@h:5432/db?sslmode=…"),
            ("postgres://h1:5432,h2/db", "postgres://h1:***/db"), ("postgres://h:5432/db", "postgres://h:5432/db"),
            ("postgres://[::1]:5432/db", "postgres://[::1]:5432/db"), ("sqlite:///a:b@c?x=1", "sqlite:///a:b@c?x=…"),
            ("sqlite:///a?b.c=1", "sqlite:///a?…=…"), ("memory:", "memory:"),
            ("postgres://host/db?user=me@tenant", "postgres://host/db?user=…"),
            ("postgres:///db?user=me@tenant&host=/run", "postgres:///db?user=…&host=…"),
            ("sqlite:///a?name=x@y", "sqlite:///a?name=…"),
        ])
    func shown(text: String, description: String) throws {
        #expect(try StoreURL(parsing: text).description == description)
    }
}
