import AgentSessions

extension Scenario {
    static let deletion: [Scenario] = [
        Scenario("delete.gone", .delete, "3.5", "A deleted session is absent from every read.") { test in
            let session = try await test.session("gone", messages: 3)
            let other = try await test.access.create("other")
            test.expect(try await test.access.delete(session.id), "delete of a session says that there was none")
            test.expect(try await test.access.get(session.id), equals: nil, "get")
            test.expect(try await test.access.page(session.id)?.session, equals: nil, "the page")
            test.expect(try await test.access.page(session.id, .last)?.session, equals: nil, "the last page")
            test.expect(try await test.access.list(), equals: [other], "the list")
            test.expect(
                try await test.access.list(SessionFilter(actorName: "gone")), equals: [], "the list of the actor")
            test.expect(
                try await test.access.list(SessionFilter(updatedFrom: session.updatedAt)), equals: [other],
                "the list by last change")
        },
        Scenario(
            "delete.absent", .delete, "3.5",
            "Deleting an absent session is no deletion: false from the repository, "
                + "notFound from the service, and nothing else changes."
        ) { test in
            let other = try await test.session(messages: 2)
            let id = test.newID()
            try await test.expectUnchanged(other.id, "the deletion of an absent session") {
                test.expect(try await test.store.delete(id), equals: false, "the repository's answer")
                await test.expect(.notFound, "the service's answer") { () throws(StoreError) in
                    try await test.service.delete(id)
                }
            }
        },
        Scenario("delete.twice", .delete, "3.5", "A second deletion finds nothing.") { test in
            let session = try await test.access.create()
            test.expect(try await test.access.delete(session.id), equals: true, "the first deletion")
            test.expect(try await test.access.delete(session.id), equals: false, "the second deletion")
        },
        Scenario(
            "delete.messages", .delete, "3.5",
            "The messages go with their session: none of them is in a session that is created under the same id."
        ) { test in
            let session = try await test.access.create()
            let old = try await test.access.append((1...20).map(turn), to: session.id)
            _ = try await test.access.delete(session.id)
            let new = try await test.access.create(id: session.id)
            test.expect(try await test.access.messages(new.id), equals: [], "the messages of the new session")
            test.expect(try await test.access.messages(new.id, .last), equals: [], "its last messages")
            let stored = try await test.access.append([turn(7)], to: new.id)
            test.expect(stored.map(\.sequence), equals: [1], "the first sequence")
            test.expect(try await test.access.messages(new.id), equals: stored, "the messages")
            test.expect(old.count, equals: 20, "the old messages")
        },
        Scenario(
            "delete.message-ids", .delete, "3.5",
            "The ids of its messages are new again in a session of the same id: no index entry is left."
        ) { test in
            let session = try await test.access.create()
            let old = try await test.access.append([turn(1), turn(2), turn(3)], to: session.id)
            _ = try await test.access.delete(session.id)
            _ = try await test.access.create(id: session.id)
            // Another payload under the same id would be a conflict where an entry were left.
            let new = [
                NewMessage(.tool, "other", toolCallID: "call", id: try old.at(2).id),
                NewMessage(.user, "new", id: try old.at(0).id),
            ]
            let stored = try await test.access.append(new, to: session.id)
            test.expect(stored.map(\.sequence), equals: [1, 2], "the sequences")
            test.expect(stored.map(\.content), equals: ["other", "new"], "the contents")
            test.expect(try await test.access.messages(session.id), equals: stored, "the messages")
        },
        Scenario(
            "delete.list-entries", .delete, "3.5",
            "A session of a used id stands in the lists where it belongs now, and nowhere else."
        ) { test in
            let old = try await test.access.create("old")
            let middle = try await test.access.create("middle")
            _ = try await test.access.delete(old.id)
            let new = try await test.access.create("new", id: old.id)
            test.expect(try await test.access.list(), equals: [new, middle], "the list")
            test.expect(try await test.access.list(SessionFilter(actorName: "old")), equals: [], "the old actor's list")
            test.expect(
                try await test.access.list(SessionFilter(createdBefore: middle.createdAt)), equals: [],
                "the list before the middle one")
        },
        Scenario(
            "delete.usage", .delete, "3.5", "The usage of a deleted session is not that of one with the same id."
        ) { test in
            let session = try await test.access.create()
            _ = try await test.access.addUsage(TokenUsage(inputTokens: .max), to: session.id)
            _ = try await test.access.delete(session.id)
            _ = try await test.access.create(id: session.id)
            let usage = TokenUsage(inputTokens: 1, outputTokens: 2, estimatedCost: 3)
            test.expect(try await test.access.addUsage(usage, to: session.id).usage, equals: usage, "the usage")
        },
        Scenario(
            "delete.others", .delete, "3.5",
            "Deleting a session leaves the messages of its neighbours, though their "
                + "ids and their messages' ids are the same or next to it."
        ) { test in
            let middle = test.newID()
            func neighbour(_ difference: UInt8) throws -> ULID {
                var bytes = middle.bytes
                bytes[15] = bytes[15] &+ difference
                return try ULID(bytes: bytes)
            }
            let ids = [try neighbour(255), middle, try neighbour(1)]
            let shared = [test.newID(), test.newID()]
            for id in ids {
                _ = try await test.access.create(id: id)
                _ = try await test.access.append(
                    [NewMessage(.user, "a", id: shared[0]), NewMessage(.user, "b", id: shared[1])], to: id)
            }
            let before = [try await test.access.snapshot(of: ids[0]), try await test.access.snapshot(of: ids[2])]
            _ = try await test.access.delete(middle)
            test.expect(
                [try await test.access.snapshot(of: ids[0]), try await test.access.snapshot(of: ids[2])],
                equals: before, "the neighbours")
            test.expect(try await test.access.list().count, equals: 2, "sessions in the list")
        },
        Scenario(
            "delete.long", .delete, "3.5", "A session of many messages is deleted whole.", level: .full
        ) { test in
            let session = try await test.access.create()
            _ = try await test.access.append((1...2500).map(turn), to: session.id)
            _ = try await test.access.delete(session.id)
            _ = try await test.access.create(id: session.id)
            test.expect(try await test.access.messages(session.id, .last, limit: 10), equals: [], "the messages")
            let stored = try await test.access.append((1...2500).map(turn), to: session.id)
            test.expect(stored.last?.sequence, equals: 2500, "the last sequence")
        },
        Scenario(
            "delete.changes-refused", .delete, "3.6",
            "Every change of a deleted session throws notFound, and does not "
                + "bring it back."
        ) { test in
            let session = try await test.session(messages: 2)
            _ = try await test.access.delete(session.id)
            await test.expect(.notFound, "append") { () throws(StoreError) in
                try await test.access.append(turn(1), to: session.id)
            }
            await test.expect(.notFound, "update") { () throws(StoreError) in
                try await test.access.update(session.id, actorName: "a")
            }
            await test.expect(.notFound, "usage") { () throws(StoreError) in
                try await test.access.addUsage(TokenUsage(inputTokens: 1), to: session.id)
            }
            await test.expect(.notFound, "rewind") { () throws(StoreError) in
                try await test.access.rewind(session.id, to: 0)
            }
            test.expect(try await test.access.get(session.id), equals: nil, "get")
            test.expect(try await test.access.list(), equals: [], "the list")
        },
    ]
}
