public import AgentSessions

/// Ends a scenario whose failure was noted.
struct ScenarioStopped: Error {}

extension ScenarioContext {
    /// Notes a failure where `condition` does not hold.
    public func expect(_ condition: Bool, _ what: @autoclosure () -> String) {
        if !condition { fail(what()) }
    }

    /// Notes a failure where `actual` is not `expected`, and says in which fields.
    ///
    /// Texts and lists of texts are compared as ``Swift/String/isSame(as:)`` does: `==` takes composed and decomposed
    /// characters for equal, which a store must not. So do the records of `AgentSessions`.
    public func expect<Value: Equatable>(
        _ actual: Value, equals expected: Value, _ what: @autoclosure () -> String
    ) {
        guard !isSame(actual, expected) else { return }
        fail("\(what()): \(Differences.text(expected: expected, found: actual))")
    }

    /// Ends the scenario where `condition` does not hold.
    public func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        guard !condition else { return }
        fail(what())
        throw ScenarioStopped()
    }

    /// The value, without which the scenario ends.
    public func require<Value>(_ value: Value?, _ what: @autoclosure () -> String) throws -> Value {
        guard let value else {
            fail(what())
            throw ScenarioStopped()
        }
        return value
    }

    /// Notes a failure where `body` does not throw an error of that code.
    ///
    /// - Returns: The error, where it is of the code.
    @discardableResult
    public func expect<Result>(
        _ code: StoreError.Code, _ what: @autoclosure () -> String, from body: () async throws(StoreError) -> Result
    ) async -> StoreError? {
        do throws(StoreError) {
            _ = try await body()
            fail("\(what()): expected the error \(code), but the call succeeded")
        } catch {
            if error.code == code { return error }
            fail("\(what()): expected the error \(code), found \(shown(error))")
        }
        return nil
    }

    /// Notes a failure where a session, with all its messages, is not the same after `body` as before.
    public func expectUnchanged(
        _ id: ULID, _ what: @autoclosure () -> String, by body: () async throws -> Void
    ) async throws {
        let before = try await access.snapshot(of: id)
        try await body()
        let after = try await access.snapshot(of: id)
        expect(after, equals: before, "\(what()) must leave the session as it was")
    }
}

/// Whether values are equal, texts byte for byte.
private func isSame<Value: Equatable>(_ left: Value, _ right: Value) -> Bool {
    guard left == right else { return false }
    if let left = left as? String, let right = right as? String { return left.isSame(as: right) }
    if let left = left as? [String], let right = right as? [String] {
        return left.elementsEqual(right) { $0.isSame(as: $1) }
    }
    return true
}

/// A value as it stands in a report: whole where it is short, else its beginning.
func shown(_ value: some Any) -> String {
    let text = String(describing: value)
    let limit = 200
    guard text.unicodeScalars.count > limit else { return text }
    return String(text.unicodeScalars.prefix(limit)) + "…"
}
