/// Makes values of JSON text, strictly.
///
/// Follows RFC 8259, and where that leaves room, RFC 7493 (I-JSON): UTF-8 without a byte order mark, no unpaired
/// surrogates, no duplicate keys. A number without fraction and exponent is an integer and must fit 64 bits; any other
/// is a double and must be finite. `-0` is the integer 0. Nothing may follow the value.
package enum JSONParser {
    package static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits = .default
    ) throws(JSONError) -> JSONValue {
        var cursor = try JSONCursor(bytes, limits: limits)
        let value = try cursor.readValue()
        try cursor.finish()
        return value
    }

    package static func parse(_ bytes: [UInt8], limits: JSONLimits = .default) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in try parse(buffer, limits: limits) }
    }

    package static func parse(_ text: String, limits: JSONLimits = .default) throws(JSONError) -> JSONValue {
        try text.withBytes { (bytes) throws(JSONError) in try parse(bytes, limits: limits) }
    }
}
