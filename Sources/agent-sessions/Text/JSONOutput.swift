import AgentSessions

/// A value as one line of text that loses nothing.
func jsonText(_ value: JSONValue) throws(StoreError) -> String {
    do {
        return String(validUTF8: try LosslessJSON.encode(value))
    } catch {
        throw StoreError(.internalFailure, "The result cannot be written as JSON: \(error)", cause: error)
    }
}

extension Session {
    /// The session with the keys of the contract.
    var json: JSONValue {
        [
            "id": .string(id.description), "actor_name": .string(actorName),
            "message_count": .integer(Int64(messageCount)), "input_tokens": .integer(usage.inputTokens),
            "output_tokens": .integer(usage.outputTokens), "estimated_cost": .integer(usage.estimatedCost),
            "metadata": .object(metadata), "created_at": .string(createdAt.description),
            "updated_at": .string(updatedAt.description),
        ]
    }
}

extension SessionMessage {
    /// The message with the keys of the contract.
    var json: JSONValue {
        [
            "id": .string(id.description), "session_id": .string(sessionID.description),
            "sequence": .integer(Int64(sequence)), "role": .string(role.name), "content": .string(content),
            "tool_call_id": toolCallID.json, "metadata": .object(metadata),
            "created_at": .string(createdAt.description),
        ]
    }
}

extension String? {
    /// The text, or `null`.
    var json: JSONValue {
        if let self { .string(self) } else { .null }
    }
}
