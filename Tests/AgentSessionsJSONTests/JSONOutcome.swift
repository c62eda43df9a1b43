@testable import AgentSessionsJSON

/// What a throwing expression gives, for comparison.
func jsonOutcome<Value>(_ body: @autoclosure () throws(JSONError) -> Value) -> Result<Value, JSONError> {
    do throws(JSONError) {
        return .success(try body())
    } catch {
        return .failure(error)
    }
}

/// The kind of error that a throwing expression gives, or `nil` if it gives none.
func jsonErrorKind<Value>(_ body: @autoclosure () throws(JSONError) -> Value) -> JSONError.Kind? {
    if case .failure(let error) = jsonOutcome(try body()) { error.kind } else { nil }
}
