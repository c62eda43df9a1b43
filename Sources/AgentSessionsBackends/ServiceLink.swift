/// Whether Kubernetes puts such a variable into the environment of every pod, to say where a service is: for a service
/// `NAME` these are `NAME_SERVICE_HOST`, `NAME_SERVICE_PORT`, `NAME_SERVICE_PORT_HTTP`, `NAME_PORT=tcp://10.0.0.1:80`,
/// `NAME_PORT_80_TCP=tcp://…`, and `NAME_PORT_80_TCP_PROTO`, `…_PORT` and `…_ADDR`.
///
/// Only `NAME_PORT` could be a setting, and is told from one by its value.
func isServiceLink(_ name: String, _ value: String) -> Bool {
    let words = name.split(separator: "_", omittingEmptySubsequences: false).map(String.init)
    if words.suffix(2) == ["SERVICE", "HOST"] { return true }
    if zip(words, words.dropFirst()).contains(where: { $0 == "SERVICE" && $1 == "PORT" }) { return true }
    if words.last == "PORT", ["tcp://", "udp://", "sctp://"].contains(where: value.hasPrefix) { return true }
    guard let port = words.lastIndex(where: { !$0.isEmpty && UInt16($0) != nil }), port > 0, words[port - 1] == "PORT"
    else { return false }
    let rest = Array(words[(port + 1)...])
    guard let protocolName = rest.first, ["TCP", "UDP", "SCTP"].contains(protocolName) else { return false }
    return rest.count == 1 || (rest.count == 2 && ["PROTO", "PORT", "ADDR"].contains(rest[1]))
}
