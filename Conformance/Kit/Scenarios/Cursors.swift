import AgentSessions

extension Scenario {
    static let cursors: [Scenario] = [
        Scenario(
            "cursor.walk", .cursor, "3.3", "Pages by cursor show every session once, in the order of the list."
        ) { test in
            let newest = Array(try await test.sessions(23).reversed())
            for size in [1, 2, 7, 22, 23, 24] {
                var seen: [Session] = []
                var position: SessionPosition?
                while true {
                    let page = try await test.access.list(after: position, limit: size)
                    test.expect(page.count <= size, "a page of \(page.count) sessions where \(size) were asked for")
                    seen += page
                    position = page.last?.position
                    if page.isEmpty || seen.count > 50 { break }
                }
                test.expectIDs(seen, equal: newest, "the walk in pages of \(size)")
            }
        },
        Scenario(
            "cursor.ties", .cursor, "3.3",
            "With 205 sessions of one timestamp, read in pages while one is updated and others are added, each of the "
                + "205 is seen once.", layers: [.repository]
        ) { test in
            test.clock.setStep(0)
            var made: [Session] = []
            for _ in 0..<205 { made.append(try await test.access.create()) }
            let time = made[0].createdAt
            var seen: [ULID] = []
            var position: SessionPosition?
            for round in 0..<50 {
                let page = try await test.access.list(after: position, limit: 20)
                if page.isEmpty { break }
                seen += page.map(\.id)
                position = page.last?.position
                test.clock.set(time.advanced(by: Int64(round + 1)), step: 0)
                _ = try await test.access.update(made[round * 3].id, metadata: ["round": .integer(Int64(round))])
                _ = try await test.access.create("newer")
            }
            test.expect(seen, equals: made.map(\.id).sorted(by: >), "the sessions that were seen")
        },
        Scenario(
            "cursor.deleted", .cursor, "3.3", "A cursor goes on from its place though the session there was deleted."
        ) { test in
            let newest = Array(try await test.sessions(6).reversed())
            let position = newest[2].position
            _ = try await test.access.delete(newest[2].id)
            test.expectIDs(
                try await test.access.list(after: position, limit: 2), equal: [newest[3], newest[4]], "the next page")
            _ = try await test.access.delete(newest[3].id)
            test.expectIDs(
                try await test.access.list(after: position, limit: 2), equal: [newest[4], newest[5]],
                "the page after the next one was deleted too")
        },
        Scenario(
            "cursor.end", .cursor, "3.3", "After the oldest session there is nothing, and newer ones do not come back."
        ) { test in
            let made = try await test.sessions(3)
            _ = try await test.access.create("newer")
            test.expect(try await test.access.list(after: made[0].position), equals: [], "after the oldest")
        },
        Scenario(
            "cursor.newer-unseen", .cursor, "3.3", "What is created after a page was read does not show on later pages."
        ) { test in
            let made = try await test.sessions(4)
            let first = try await test.access.list(limit: 2)
            _ = try await test.sessions(3)
            test.expectIDs(
                try await test.access.list(after: first.last?.position), equal: [made[1], made[0]], "the later pages")
        },
        Scenario(
            "cursor.filter", .cursor, "3.3", "A cursor pages through a filtered list."
        ) { test in
            var made: [Session] = []
            for index in 0..<12 { made.append(try await test.access.create(index % 3 == 0 ? "b" : "a")) }
            let expected = Array(made.filter { $0.actorName == "a" }.reversed())
            let filter = SessionFilter(actorName: "a")
            let first = try await test.access.list(filter, limit: 3)
            let second = try await test.access.list(filter, after: first.last?.position, limit: 3)
            let third = try await test.access.list(filter, after: second.last?.position, limit: 3)
            test.expectIDs(first + second + third, equal: expected, "three pages")
            let times = SessionFilter(createdFrom: made[2].createdAt, createdBefore: made[10].createdAt)
            let page = try await test.access.list(times, limit: 4)
            let rest = try await test.access.list(times, after: page.last?.position, limit: 10)
            test.expectIDs(page + rest, equal: made[2..<10].reversed(), "two pages by time")
        },
        Scenario(
            "cursor.filter-ties", .cursor, "3.3",
            "A cursor pages through sessions of one actor and one timestamp without a gap or a repeat.",
            layers: [.repository]
        ) { test in
            test.clock.setStep(0)
            var made: [Session] = []
            for index in 0..<20 { made.append(try await test.access.create(index.isMultiple(of: 2) ? "a" : "b")) }
            let expected = made.filter { $0.actorName == "a" }.map(\.id).sorted(by: >)
            var seen: [ULID] = []
            var position: SessionPosition?
            while seen.count <= 20 {
                let page = try await test.access.list(SessionFilter(actorName: "a"), after: position, limit: 3)
                if page.isEmpty { break }
                seen += page.map(\.id)
                position = page.last?.position
            }
            test.expect(seen, equals: expected, "the sessions that were seen")
        },
        Scenario(
            "cursor.offset", .cursor, "3.3", "An offset counts from the place of the cursor."
        ) { test in
            let newest = Array(try await test.sessions(8).reversed())
            test.expectIDs(
                try await test.access.list(after: newest[1].position, offset: 2, limit: 3),
                equal: Array(newest[4...6]), "two further than the cursor")
        },
        Scenario(
            "cursor.between", .cursor, "3.3", "A place at which no session stands lies between those around it.",
            layers: [.repository]
        ) { test in
            test.clock.setStep(10)
            var made: [Session] = []
            for _ in 0..<4 { made.append(try await test.access.create()) }
            let gap = SessionPosition(createdAt: made[1].createdAt.advanced(by: 5), id: test.newID())
            test.expectIDs(try await test.access.list(after: gap), equal: [made[1], made[0]], "after the gap")
            var bytes = made[1].id.bytes
            bytes[15] = bytes[15] == 0 ? 1 : bytes[15] - 1
            let neighbour = try ULID(bytes: bytes)
            let tie = SessionPosition(createdAt: made[1].createdAt, id: neighbour)
            let expected = made.filter { $0.position < tie }.reversed()
            test.expectIDs(try await test.access.list(after: tie), equal: Array(expected), "after a tie by id")
        },
        Scenario(
            "cursor.next", .cursor, "3.3",
            "A page has a next one where there are more sessions, and none where it is "
                + "the last, also where it is exactly full.", layers: [.service]
        ) { test in
            let newest = Array(try await test.sessions(6).reversed())
            let first = try await test.service.list(limit: 3)
            test.expectIDs(first.sessions, equal: Array(newest[0..<3]), "the first page")
            let cursor = try test.require(first.next, "the first of two pages has no next one")
            let second = try await test.service.list(limit: 3, after: try SessionCursor(parsing: "\(cursor)"))
            test.expectIDs(second.sessions, equal: Array(newest[3..<6]), "the second page")
            test.expect(second.next == nil, "the last page, exactly full, has a next one")
            test.expect(try await test.service.list(limit: 6).next == nil, "a page of all has a next one")
        },
        Scenario(
            "cursor.refused", .cursor, "3.3", "A cursor of another filter, and a text that is no cursor, are refused.",
            layers: [.service]
        ) { test in
            _ = try await test.sessions(3, actor: "a")
            let page = try await test.service.list(SessionFilter(actorName: "a"), limit: 1)
            let cursor = try test.require(page.next, "the first of three pages has no next one")
            for filter in [SessionFilter(), SessionFilter(actorName: "b")] {
                await test.expect(.invalidArgument, "a cursor of another list") { () throws(StoreError) in
                    try await test.service.list(filter, limit: 1, after: cursor)
                }
            }
            for text in ["", "x", "\(cursor)00", String("\(cursor)".dropLast(2))] {
                await test.expect(.invalidArgument, "a text that is no cursor") { () throws(StoreError) in
                    try SessionCursor(parsing: text)
                }
            }
        },
        Scenario(
            "cursor.updated-filter", .cursor, "3.3", "Pages by last change are ordered by creation, as every list is."
        ) { test in
            let made = try await test.sessions(6)
            let mark = test.clock.next()
            for index in [4, 0, 2, 1] {
                _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: made[index].id)
            }
            let filter = SessionFilter(updatedFrom: mark)
            let first = try await test.access.list(filter, limit: 2)
            let second = try await test.access.list(filter, after: first.last?.position, limit: 10)
            test.expectIDs(first + second, equal: [made[4], made[2], made[1], made[0]], "changed since the mark")
        },
        Scenario(
            "cursor.deleted-ties", .cursor, "3.3",
            "A cursor goes on among sessions of its time though the session there was deleted.", layers: [.repository]
        ) { test in
            test.clock.setStep(0)
            var made: [Session] = []
            for _ in 0..<7 { made.append(try await test.access.create("a")) }
            let newest = made.sorted { $0.id > $1.id }
            for (index, filter) in [(2, SessionFilter()), (4, SessionFilter(actorName: "a"))] {
                _ = try await test.access.delete(newest[index].id)
                test.expectIDs(
                    try await test.access.list(filter, after: newest[index].position, limit: 10),
                    equal: Array(newest[(index + 1)...]), "after the deleted session")
            }
        },
    ]
}
