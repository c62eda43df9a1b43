/// A change of a piece of source text.
public struct Change: Sendable, Hashable {
    /// What is replaced: bytes of the file.
    public let range: Range<Int>
    /// What stands there instead.
    public let replacement: String
}

/// A small change of a program, as a mistake would make it.
public struct Mutant: Sendable {
    /// What tells a mutant from all others, whatever its line: the place in the list of equals.
    public struct Key: Sendable, Hashable, Comparable {
        /// The name of the file, without its folder.
        public let file: String
        /// The declaration that is changed, such as `MemoryTables.index(of:)`.
        public let declaration: String
        /// The kind of the change.
        public let kind: String
        /// The line, or the first of several, and what becomes of it.
        public let change: String
        /// Which of several that are the same in all of this, from 1.
        public let ordinal: Int

        public static func < (left: Key, right: Key) -> Bool {
            (left.file, left.declaration, left.kind, left.change, left.ordinal)
                < (right.file, right.declaration, right.kind, right.change, right.ordinal)
        }
    }

    /// The number that its switch is set to, from 1.
    public let number: Int
    /// Its place in the list of equals.
    public let key: Key
    /// The file, from the root of the package.
    public let path: String
    /// The line of the change, from 1.
    public let line: Int
    /// What is changed.
    public let change: Change
    /// The number of the piece of program that it changes: all of its mutants are behind one switch.
    public let site: Int
}
