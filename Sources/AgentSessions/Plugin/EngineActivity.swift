/// What an engine was doing when it failed, which decides what is known of the outcome.
package enum EngineActivity: Sendable {
    case opening, reading, writing, committing
}
