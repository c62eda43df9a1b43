import AgentSessions

extension Scenario {
    static let listing: [Scenario] = [
        Scenario("list.empty", .list, "3.3", "The list of an empty store is empty, whatever is asked of it.") { test in
            test.expect(try await test.access.list(), equals: [], "the list")
            test.expect(try await test.access.list(offset: 10, limit: 10), equals: [], "the list at an offset")
            test.expect(try await test.access.list(SessionFilter(actorName: "a")), equals: [], "the filtered list")
        },
        Scenario(
            "list.newest-first", .list, "3.3",
            "The list is ordered by time of creation, newest first, whatever the order of creation.",
            layers: [.repository]
        ) { test in
            var made: [Session] = []
            let start = test.clock.next()
            for offset: Int64 in [5, -7, 300_000_000, 0, -1, 1, 86_400_000_000] {
                test.clock.set(start.advanced(by: offset))
                made.append(try await test.access.create("at/\(offset)"))
            }
            let expected = made.sorted { $0.createdAt > $1.createdAt }
            test.expect(try await test.access.list(), equals: expected, "the list")
        },
        Scenario(
            "list.ties-by-id", .list, "3.3", "Sessions of the same time of creation are ordered by id, largest first.",
            layers: [.repository]
        ) { test in
            test.clock.setStep(0)
            var made: [Session] = []
            for _ in 0..<9 { made.append(try await test.access.create()) }
            let expected = made.sorted { $0.id > $1.id }
            test.expect(try await test.access.list(), equals: expected, "the list")
        },
        Scenario(
            "list.microseconds", .list, "2", "Times of creation a microsecond apart are told apart and ordered.",
            layers: [.repository]
        ) { test in
            let made = try await test.sessions(12)
            test.expect(try await test.access.list(), equals: made.reversed(), "the list")
        },
        Scenario(
            "list.before-1970", .list, "2", "Times before 1970 come before those after it.", layers: [.repository]
        ) { test in
            var made: [Session] = []
            for microseconds: Int64 in [-62_135_596_800_000_000, -86_400_000_001, -1, 0, 1, 253_402_300_799_999_998] {
                let time = try test.require(Timestamp(microseconds: microseconds), "a time of the years that there are")
                made.append(
                    try await test.store.create(NewSession(id: test.newID(), actorName: "a", createdAt: time)))
            }
            test.expect(try await test.access.list(), equals: made.reversed(), "the list")
            let filter = SessionFilter(createdFrom: made[1].createdAt, createdBefore: made[4].createdAt)
            test.expect(try await test.access.list(filter), equals: made[1..<4].reversed(), "the list around 1970")
        },
        Scenario("list.limit", .list, "3.3", "The list holds at most as many sessions as asked for, the newest.") {
            test in
            let made = try await test.sessions(5)
            let newest = Array(made.reversed())
            for limit in [1, 2, 4, 5, 6, 100] {
                test.expectIDs(
                    try await test.access.list(limit: limit), equal: Array(newest.prefix(limit)), "limit \(limit)")
            }
        },
        Scenario(
            "list.offset", .list, "3.3", "An offset leaves out the newest sessions; beyond the end nothing is left."
        ) { test in
            let newest = Array(try await test.sessions(5).reversed())
            for offset in 0...7 {
                for limit in [1, 2, 5, 10] {
                    test.expectIDs(
                        try await test.access.list(offset: offset, limit: limit),
                        equal: Array(newest.dropFirst(offset).prefix(limit)), "offset \(offset), limit \(limit)")
                }
            }
        },
        Scenario(
            "list.actor", .list, "3.3", "The filter by actor gives the sessions of that actor, all of them, in order."
        ) { test in
            let names = ["a", "b", "a", "c", "a", "b"]
            var made: [Session] = []
            for name in names { made.append(try await test.access.create(name)) }
            for name in ["a", "b", "c"] {
                test.expect(
                    try await test.access.list(SessionFilter(actorName: name)),
                    equals: made.filter { $0.actorName == name }.reversed(), "the sessions of \(name)")
            }
            test.expect(try await test.access.list(SessionFilter(actorName: "d")), equals: [], "the sessions of nobody")
        },
        Scenario(
            "list.actor-ties", .list, "3.3",
            "Sessions of one actor and one time of creation are ordered by id, largest first.", layers: [.repository]
        ) { test in
            test.clock.setStep(0)
            var made: [Session] = []
            for index in 0..<10 { made.append(try await test.access.create(index.isMultiple(of: 2) ? "a" : "b")) }
            let expected = made.filter { $0.actorName == "a" }.sorted { $0.id > $1.id }
            test.expect(
                try await test.access.list(SessionFilter(actorName: "a")), equals: expected, "the sessions of a")
            test.expect(
                try await test.access.list(SessionFilter(actorName: "a"), offset: 1, limit: 3),
                equals: Array(expected[1...3]), "a page of the sessions of a")
        },
        Scenario(
            "list.created-from", .list, "3.3", "The lower bound of the time of creation is inclusive."
        ) { test in
            let made = try await test.sessions(5)
            for index in 0..<5 {
                test.expectIDs(
                    try await test.access.list(SessionFilter(createdFrom: made[index].createdAt)),
                    equal: made[index...].reversed(), "from session \(index)")
            }
            let later = made[4].createdAt.advanced(by: 1)
            test.expect(try await test.access.list(SessionFilter(createdFrom: later)), equals: [], "after the last")
        },
        Scenario(
            "list.created-before", .list, "3.3", "The upper bound of the time of creation is exclusive."
        ) { test in
            let made = try await test.sessions(5)
            for index in 0..<5 {
                test.expectIDs(
                    try await test.access.list(SessionFilter(createdBefore: made[index].createdAt)),
                    equal: made[..<index].reversed(), "before session \(index)")
            }
            let later = made[4].createdAt.advanced(by: 1)
            test.expectIDs(
                try await test.access.list(SessionFilter(createdBefore: later)), equal: made.reversed(),
                "after the last")
        },
        Scenario(
            "list.created-not-changed", .list, "3.3",
            "Bounds of creation look at the creation alone, however late a session was changed."
        ) { test in
            let made = try await test.sessions(5)
            for session in made { _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: session.id) }
            for index in 0..<5 {
                let time = made[index].createdAt
                test.expectIDs(
                    try await test.access.list(SessionFilter(createdFrom: time)), equal: made[index...].reversed(),
                    "from session \(index)")
                test.expectIDs(
                    try await test.access.list(SessionFilter(createdBefore: time)), equal: made[..<index].reversed(),
                    "before session \(index)")
            }
        },
        Scenario(
            "list.updated-from", .list, "3.3", "The lower bound of the last change is inclusive."
        ) { test in
            let made = try await test.sessions(4)
            let changed = try await test.access.update(made[1].id, metadata: ["changed": true])
            test.expectIDs(
                try await test.access.list(SessionFilter(updatedFrom: changed.updatedAt)), equal: [changed], "from it")
            test.expect(
                try await test.access.list(SessionFilter(updatedFrom: changed.updatedAt.advanced(by: 1))), equals: [],
                "from after it")
            test.expectIDs(
                try await test.access.list(SessionFilter(updatedFrom: made[2].updatedAt)),
                equal: [made[3], made[2], changed], "from an older one")
        },
        Scenario(
            "list.updated-before", .list, "3.3", "The upper bound of the last change is exclusive."
        ) { test in
            let made = try await test.sessions(4)
            let changed = try await test.access.update(made[1].id, metadata: ["changed": true])
            test.expectIDs(
                try await test.access.list(SessionFilter(updatedBefore: changed.updatedAt)),
                equal: [made[3], made[2], made[0]], "before it")
            test.expectIDs(
                try await test.access.list(SessionFilter(updatedBefore: changed.updatedAt.advanced(by: 1))),
                equal: [made[3], made[2], changed, made[0]], "before just after it")
        },
        Scenario(
            "list.updated-follows", .list, "3.3",
            "Every kind of change moves a session in the filter by last change: "
                + "append, update, usage, rewind."
        ) { test in
            let made = try await test.sessions(5)
            _ = try await test.access.append([turn(1), turn(2)], to: made[3].id)
            let mark = try await test.access.update(made[4].id, metadata: ["mark": 1]).updatedAt
            _ = try await test.access.append(turn(1), to: made[0].id)
            _ = try await test.access.update(made[1].id, actorName: "renamed")
            _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: made[2].id)
            _ = try await test.access.rewind(made[3].id, to: 1)
            test.expectIDs(
                try await test.access.list(SessionFilter(updatedFrom: mark.advanced(by: 1))),
                equal: [made[3], made[2], made[1], made[0]], "changed after the mark")
            test.expectIDs(
                try await test.access.list(SessionFilter(updatedBefore: mark.advanced(by: 1))), equal: [made[4]],
                "not changed after the mark")
        },
        Scenario(
            "list.filters-combine", .list, "3.3", "A session is shown where it passes every filter that is given."
        ) { test in
            var made: [Session] = []
            for index in 0..<12 { made.append(try await test.access.create(["a", "b", "c"][index % 3])) }
            for index in [0, 3, 4, 9] { made[index] = try await test.access.addUsage(.zero, to: made[index].id) }
            let times = made.map(\.createdAt)
            let revisions = made.map(\.updatedAt).sorted()
            for filter in [
                SessionFilter(actorName: "a", createdFrom: times[2]),
                SessionFilter(actorName: "a", createdFrom: times[3], createdBefore: times[9]),
                SessionFilter(actorName: "a", updatedFrom: revisions[8]),
                SessionFilter(createdBefore: times[6], updatedFrom: revisions[8]),
                SessionFilter(actorName: "b", createdFrom: times[1], updatedBefore: revisions[9]),
                SessionFilter(
                    actorName: "a", createdFrom: times[0], createdBefore: times[10], updatedFrom: revisions[8],
                    updatedBefore: revisions[10]),
            ] {
                test.expect(
                    try await test.access.list(filter), equals: made.filter(filter.includes).reversed(), "\(filter)")
            }
        },
        Scenario(
            "list.filter-then-page", .list, "3.3",
            "Limit and offset count the sessions that pass the filter, no others."
        ) { test in
            var made: [Session] = []
            for index in 0..<15 { made.append(try await test.access.create(index % 3 == 0 ? "a" : "b")) }
            let expected = made.filter { $0.actorName == "a" }.reversed()
            for (offset, limit) in [(0, 2), (1, 2), (2, 2), (4, 5), (5, 1)] {
                test.expectIDs(
                    try await test.access.list(SessionFilter(actorName: "a"), offset: offset, limit: limit),
                    equal: Array(expected.dropFirst(offset).prefix(limit)), "offset \(offset), limit \(limit)")
                let times = SessionFilter(createdFrom: made[3].createdAt, createdBefore: made[12].createdAt)
                test.expectIDs(
                    try await test.access.list(times, offset: offset, limit: limit),
                    equal: Array(made[3..<12].reversed().dropFirst(offset).prefix(limit)),
                    "by time, offset \(offset), limit \(limit)")
            }
        },
        Scenario(
            "list.empty-range", .list, "3.3", "Bounds that leave no time between them give an empty list."
        ) { test in
            let made = try await test.sessions(3)
            let time = made[1].createdAt
            test.expect(
                try await test.access.list(SessionFilter(createdFrom: time, createdBefore: time)), equals: [],
                "an empty range")
            test.expect(
                try await test.access.list(SessionFilter(createdFrom: made[2].createdAt, createdBefore: time)),
                equals: [], "bounds the wrong way round")
        },
        Scenario(
            "list.extreme-bounds", .list, "3.3", "The earliest and the latest time there is are bounds like any other."
        ) { test in
            let made = try await test.sessions(3)
            let all = SessionFilter(
                createdFrom: .earliest, createdBefore: .latest, updatedFrom: .earliest, updatedBefore: .latest)
            test.expect(try await test.access.list(all), equals: made.reversed(), "the list of all time")
            test.expect(
                try await test.access.list(SessionFilter(createdBefore: .earliest)), equals: [], "before all time")
        },
        Scenario(
            "list.change-keeps-place", .list, "3.3", "A change of a session leaves its place in the list as it is."
        ) { test in
            let made = try await test.sessions(4)
            _ = try await test.access.append([turn(1), turn(2)], to: made[0].id)
            _ = try await test.access.update(made[1].id, actorName: "zzz", metadata: ["a": 1])
            _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: made[2].id)
            _ = try await test.access.rewind(made[0].id, to: 1)
            test.expectIDs(try await test.access.list(), equal: made.reversed(), "the list")
        },
        Scenario(
            "list.whole-sessions", .list, "3.3", "A session in the list has every field as get gives it."
        ) { test in
            let first = try await test.access.create("first", metadata: ["nested": ["deep": [1, 2.5, nil]]])
            _ = try await test.access.append(
                [turn(1), turn(2), turn(3)], to: first.id,
                usage: TokenUsage(inputTokens: 3, outputTokens: 5, estimatedCost: 7))
            _ = try await test.access.rewind(first.id, to: 2)
            let second = try await test.access.create("second")
            _ = try await test.access.update(second.id, actorName: "renamed", metadata: ["k": "v"])
            let expected = [try await test.current(second.id), try await test.current(first.id)]
            test.expect(try await test.access.list(), equals: expected, "the list")
            test.expect(expected[1].messageCount, equals: 2, "messages of the first")
            test.expect(
                try await test.access.list(SessionFilter(actorName: "renamed")), equals: [expected[0]],
                "the list of the actor")
        },
        Scenario(
            "list.actor-renamed", .list, "3.4",
            "After a change of actor a session is found under the new name and not "
                + "under the old one, and back again."
        ) { test in
            let session = try await test.access.create("old")
            let other = try await test.access.create("old")
            _ = try await test.access.update(session.id, actorName: "new")
            test.expectIDs(
                try await test.access.list(SessionFilter(actorName: "old")), equal: [other], "the old name")
            test.expectIDs(
                try await test.access.list(SessionFilter(actorName: "new")), equal: [session], "the new name")
            _ = try await test.access.update(session.id, actorName: "old")
            test.expectIDs(
                try await test.access.list(SessionFilter(actorName: "old")), equal: [other, session], "the name again")
            test.expect(try await test.access.list(SessionFilter(actorName: "new")), equals: [], "the name given up")
        },
        Scenario(
            "list.limit-bounds", .list, "3.3",
            "A limit below 1 or an offset below 0 is refused; the largest page is "
                + "allowed, and one above it is limitExceeded.", layers: [.service]
        ) { test in
            let made = try await test.sessions(2)
            let most = test.service.capabilities.limits.pageItems
            for limit in [0, -1, Int.min] {
                await test.expect(.invalidArgument, "limit \(limit)") { () throws(StoreError) in
                    try await test.service.list(limit: limit)
                }
            }
            await test.expect(.invalidArgument, "offset -1") { () throws(StoreError) in
                try await test.service.list(SessionFilter(), limit: 1, offset: -1, after: nil)
            }
            await test.expect(.limitExceeded, "limit \(most + 1)") { () throws(StoreError) in
                try await test.service.list(limit: most + 1)
            }
            test.expect(
                try await test.service.list(limit: most).sessions, equals: made.reversed(), "the largest page")
            test.expect(
                try await test.service.list(SessionFilter(), limit: 1, offset: .max, after: nil).sessions, equals: [],
                "the largest offset")
        },
        Scenario(
            "list.more-than-a-thousand", .list, "3.3", "A list is as long as the limit allows, beyond a thousand too.",
            level: .full, layers: [.repository], timeLimit: .seconds(60)
        ) { test in
            let store = test.store
            let start = test.clock.next()
            let ids = (0..<1010).map { _ in test.newID() }
            _ = try await atOnce(10) { worker in
                for index in stride(from: worker, to: ids.count, by: 10) {
                    _ = try await store.create(
                        NewSession(
                            id: ids[index], actorName: "long", createdAt: start.advanced(by: Int64(index))))
                }
            }
            let expected = Array(ids.reversed())
            for filter in [SessionFilter(), SessionFilter(actorName: "long"), SessionFilter(createdFrom: start)] {
                test.expect(
                    try await test.access.list(filter, limit: 2000).map(\.id), equals: expected, "a list of all")
            }
            test.expect(
                try await test.access.list(offset: 1005, limit: 2000).map(\.id), equals: expected.suffix(5),
                "beyond a thousand by offset")
        },
        Scenario(
            "list.bounds-as-given", .list, "3.3",
            "A bound at zero, at the first time or at the last is a bound like any other.", layers: [.repository]
        ) { test in
            var made: [Session] = []
            let times = [Timestamp.earliest] + [-1, 0, 1].compactMap { Timestamp(microseconds: $0) } + [.latest]
            for time in times {
                made.append(
                    try await test.store.create(NewSession(id: test.newID(), actorName: "a", createdAt: time)))
            }
            for time in times {
                for filter in [
                    SessionFilter(createdFrom: time), SessionFilter(createdBefore: time),
                    SessionFilter(updatedFrom: time), SessionFilter(updatedBefore: time),
                ] {
                    test.expectIDs(
                        try await test.access.list(filter), equal: made.filter(filter.includes).reversed(), "\(filter)")
                }
            }
        },
    ]
}
