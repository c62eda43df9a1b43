extension JSONObject {
    /// The object as text that a store can keep, within `limits`.
    ///
    /// - Throws: `nonFiniteNumber`, `tooLarge` or `tooDeep`.
    func normalised(under limits: JSONLimits) throws(JSONError) -> JSONObject {
        try check(limits)
        return JSONObject(storedText: try losslessText())
    }

    /// The bytes of the text; zero where there is none because a number is not finite.
    var payloadBytes: Int { (try? utf8Count()) ?? 0 }
}
