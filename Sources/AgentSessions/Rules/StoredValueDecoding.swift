// What a store wrote and reads back. Every row has these, so they are read quickly; and what a file or a server gives is
// checked like anything else from outside.

extension String {
    /// The text of bytes as they were stored; `nil` where they are not UTF-8.
    package init?(stored bytes: UnsafeBufferPointer<UInt8>) {
        guard #available(macOS 26, *) else {
            guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
            self = text
            return
        }
        // Most texts are ASCII, of which any bytes are UTF-8. To find that out eight times as fast as the library does is
        // half the cost of a text.
        if bytes.isASCII {
            self = String(copying: UTF8Span(unchecked: bytes.span, isKnownASCII: true))
            return
        }
        // Cheaper than the initializer above, which is generic and not specialised in the library.
        do { self = String(copying: try UTF8Span(validating: bytes.span)) } catch { return nil }
    }
}

extension MessageRole {
    /// The role whose name was stored; `nil` where it is not one.
    package init?(stored name: UnsafeBufferPointer<UInt8>) {
        // Nearly every message has one of these, and no two begin alike.
        let known: MessageRole? =
            switch name.first {
            case UInt8(ascii: "s"): .system
            case UInt8(ascii: "d"): .developer
            case UInt8(ascii: "u"): .user
            case UInt8(ascii: "a"): .assistant
            case UInt8(ascii: "t"): .tool
            default: nil
            }
        if let known, known.name.withBytes({ $0.hasSameBytes(as: name) }) {
            self = known
        } else if let text = String(stored: name), let role = try? MessageRole(text) {
            self = role
        } else {
            return nil
        }
    }
}

extension JSONObject {
    /// The object whose text was stored; `nil` where it is none.
    package init?(stored text: UnsafeBufferPointer<UInt8>) {
        // Most messages have no metadata.
        if text.count == 2, text[0] == UInt8(ascii: "{"), text[1] == UInt8(ascii: "}") {
            self.init()
        } else if let object = try? JSONObject(parsing: text) {
            self = object
        } else {
            return nil
        }
    }

    /// The text that a store keeps of metadata.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where there is none because a number is not finite.
    package func storedText() throws(StoreError) -> String {
        do throws(JSONError) {
            return try losslessText()
        } catch {
            throw StoreError(invalidJSON: error, in: "The metadata")
        }
    }
}
