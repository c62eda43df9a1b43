/// Where a trial run (of the conformance kit, say) has a store of its own, beside that of a user, with the same settings.
public struct ScratchLocation: Sendable {
    /// The scratch store.
    public let url: StoreURL
    /// Settings that the place needs, in place of the user's.
    public let settings: [String: String]
    /// Whether the scratch store keeps its data in the folder that the run was given.
    public let isInFolder: Bool

    /// A place.
    public init(_ url: StoreURL, settings: [String: String] = [:], isInFolder: Bool = false) {
        self.url = url
        self.settings = settings
        self.isInFolder = isInFolder
    }

    /// A file, or a folder, of that name in a folder: for backends whose URLs are paths.
    public static func file(_ name: String, in folder: String, beside url: StoreURL) -> ScratchLocation {
        ScratchLocation(
            StoreURL(scheme: url.scheme, path: "\(folder)/\(name)", parameters: url.parameters), isInFolder: true)
    }
}

extension StoreURL {
    /// The URL of an absolute path.
    package init(scheme: String, path: String, parameters: [Parameter]) {
        var escaped = ""
        for byte in path.utf8 {
            switch byte {
            case 0x25, 0x3F, 0x23, 0...0x20, 0x7F...0xFF: escaped += "%" + hexEncoded([byte])
            default: escaped.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
        self.init(scheme: scheme, location: "//" + escaped, parameters: parameters)
    }

    /// The same place with a parameter of that value, whatever it was before.
    package func with(_ name: String, _ value: String) -> StoreURL {
        StoreURL(
            scheme: scheme, location: location,
            parameters: parameters.filter { $0.name != name } + [Parameter(name: name, value: value)])
    }
}
