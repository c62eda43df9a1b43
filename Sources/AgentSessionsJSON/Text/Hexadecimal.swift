/// `bytes` in lower-case hexadecimal.
package func hexEncoded(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        text.append(ASCII.hexDigit(byte >> 4))
        text.append(ASCII.hexDigit(byte))
    }
    return String(decoding: text, as: UTF8.self)
}

/// The bytes that `text` writes in hexadecimal of either case, or `nil` where it does not.
package func hexDecoded(_ text: String) -> [UInt8]? {
    let digits = text.utf8.compactMap(ASCII.hexValue)
    guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
