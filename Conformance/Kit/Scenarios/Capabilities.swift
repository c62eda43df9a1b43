import AgentSessions

extension Scenario {
    static let capabilities: [Scenario] = [
        Scenario(
            "capabilities.steady", .capabilities, "3",
            "A store declares the same for as long as it lives, and the service "
                + "passes it on."
        ) { test in
            let declared = test.store.capabilities
            _ = try await test.session(messages: 3)
            test.expect(test.store.capabilities, equals: declared, "what the store declares later")
            test.expect(test.service.capabilities, equals: declared, "what the service passes on")
        },
        Scenario(
            "capabilities.limits", .capabilities, "2", "No limit is above that of the contract, and none is below 1."
        ) { test in
            let limits = test.store.capabilities.limits
            let most = StoreLimits.standard
            test.expect(limits.lowered(to: most), equals: limits, "limits within those of the contract")
            let least = StoreLimits(
                contentBytes: 1, metadataBytes: 2, metadataDepth: 1, toolCallIDBytes: 1, actorNameBytes: 1,
                batchMessages: 1, pageItems: 1)
            test.expect(least.lowered(to: limits), equals: least, "limits of which none is too low to be used")
        },
        Scenario(
            "capabilities.consistent", .capabilities, "3",
            "What survives a crash can be reopened, and what several processes share can be opened more than once."
        ) { test in
            let declared = test.store.capabilities
            if declared.durability >= .processCrash {
                test.expect(declared.abilities.contains(.reopen), "\(declared.durability.rawValue) without reopen")
            }
            if declared.scope == .many {
                test.expect(declared.abilities.contains(.multipleInstances), "many processes without several instances")
            }
        },
        Scenario(
            "capabilities.settings", .capabilities, "3",
            "A store tells its engine with a version, and its settings, each "
                + "name once, as they are in force."
        ) { test in
            let settings = try await test.store.effectiveSettings()
            let engine = settings.first { $0.name == "engine" }?.value ?? ""
            test.expect(engine.contains { $0.isNumber }, "the engine must have a version: \(engine)")
            test.expect(Set(settings.map(\.name)).count, equals: settings.count, "different names")
            test.expect(settings.allSatisfy { !$0.name.isEmpty }, "a setting has no name")
        },
        Scenario(
            "capabilities.undeclared@2", .capabilities, "3",
            "An ability that is not declared is not there: another instance, or one that is opened later, is refused or "
                + "is empty."
        ) { test in
            let declared = test.store.capabilities.abilities
            for ability in [StoreAbility.multipleInstances, .reopen] where !declared.contains(ability) {
                test.expect(
                    try await Requirement.ability(ability).isAbsent(in: test),
                    "the store does what it does not declare (\(ability)): declare it")
            }
        },
        Scenario(
            "capabilities.durability", .capabilities, "3",
            "What was acknowledged before the store was closed is there in an instance that is opened anew.",
            requires: [.durability(.processCrash), .ability(.reopen)]
        ) { test in
            let session = try await test.access.create()
            var stored: [SessionMessage] = []
            for number in 1...5 {
                stored.append(try await test.access.append(turn(number), to: session.id))
                try await test.reopen()
                test.expect(try await test.access.messages(session.id), equals: stored, "the messages after \(number)")
            }
        },
        // A second instance in the same process sees what no crash would leave; `processes.killed-writer` and
        // `processes.killed-alone` kill the writer. Whether a change survives the loss of power cannot be told from
        // outside: what the system holds for the disk survives every way in which a process can end. Each backend's own
        // tests see to that, by a disk that fails to sync.
        Scenario(
            "capabilities.durability-unclosed", .capabilities, "3",
            "What was acknowledged is there for another instance though the first was never closed.",
            requires: [.durability(.processCrash), .ability(.multipleInstances)]
        ) { test in
            let session = try await test.access.create()
            let stored = try await test.access.append([turn(1), turn(2)], to: session.id)
            let other = try await test.secondInstance()
            test.expect(try await other.messages(session.id), equals: stored, "the messages")
            test.expect(try await other.get(session.id)?.messageCount, equals: 2, "the count")
        },
        Scenario(
            "capabilities.same-after-reopen", .capabilities, "3",
            "A store declares the same when it was opened again in the same way.", requires: [.ability(.reopen)],
            layers: [.repository]
        ) { test in
            let before = test.store.capabilities
            try await test.reopen()
            test.expect(test.store.capabilities, equals: before, "the capabilities")
        },
    ]
}
