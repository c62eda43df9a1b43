import AgentSessions
import ArgumentParser

/// `--format`.
enum FormatOption: String, ExpressibleByArgument, CaseIterable, Sendable {
    case native
    case openai

    /// The format of documents.
    var format: DocumentFormat {
        switch self {
        case .native: .native
        case .openai: .openai
        }
    }
}
