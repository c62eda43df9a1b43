import AgentSessions

extension Workload {
    static let export = Workload(
        "export", .messages, clients: [1], "a session of the corpus as a native document with its checksum"
    ) { (store, number) throws(StoreError) in Exporter(store: store, index: store.start(number)) }

    static let `import` = Workload(
        "import", .messages, clients: [1],
        "a native document checked and stored, a session of the corpus in a durable transaction of its own"
    ) { (store, number) throws(StoreError) in
        Importer(store: store, documents: try await store.exportDocuments(), index: number)
    }
}

private struct Exporter: WorkloadClient {
    let store: LoadedStore
    var index: Int
    var last: (place: Int, document: [UInt8])?

    mutating func call() async throws(StoreError) -> Int {
        let place = index
        index += 1
        let document = try await store.export(store.conversation(place).id)
        last = (place, document)
        return 1
    }

    func check() async throws(StoreError) {
        guard let last else { return }
        let checked = try await store.service.importSessions(
            .bytes(last.document), format: .native, options: ImportOptions(checksOnly: true))
        try store.expect(
            checked.messages == store.conversation(last.place).messages,
            "an exported document holds \(checked.messages) messages")
    }
}

private struct Importer: WorkloadClient {
    let store: LoadedStore
    let documents: [LoadedStore.Document]
    var index: Int
    var imported: [(id: ULID, messages: Int)] = []

    mutating func call() async throws(StoreError) -> Int {
        let document = documents[index % documents.count]
        index += 1
        let id = try await store.service.importSession(.bytes(document.bytes))
        imported.append((id, document.messages))
        return 1
    }

    func check() async throws(StoreError) {
        for (id, messages) in imported.sampled(50) {
            let page = try await store.service.lastMessages(1, in: id)
            try store.expect(
                page.session.messageCount == messages && page.messages.last?.sequence == messages,
                "imported session \(id) has \(page.session.messageCount) messages instead of \(messages)")
        }
    }
}
