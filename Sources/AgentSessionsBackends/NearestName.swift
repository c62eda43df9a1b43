/// The name that was probably meant by one that does not exist; `nil` if none is near.
///
/// - Parameters:
///   - name: What was written.
///   - names: The names that exist.
func nearestName(to name: String, among names: [String]) -> String? {
    // Far longer than any name; the time grows with the product of the lengths.
    guard name.utf8.count <= 100 else { return nil }
    let nearest = names.map { (name: $0, edits: edits(from: name, to: $0)) }.min { $0.edits < $1.edits }
    guard let nearest, nearest.edits <= 2 else { return nil }
    return nearest.name
}

/// How many letters have to be changed, added, removed or swapped with the next one to turn one name into the other.
/// Capitals are the same as small letters.
private func edits(from first: String, to second: String) -> Int {
    let (first, second) = (Array(first.uppercased().utf8), Array(second.uppercased().utf8))
    // Rows of the table of distances between beginnings: two and one before the current one.
    var (before, last) = ([Int](), Array(0...second.count))
    for row in first.indices {
        var current = [row + 1]
        for column in second.indices {
            let changed = last[column] + (first[row] == second[column] ? 0 : 1)
            var least = min(changed, last[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                least = min(least, before[column - 1] + 1)
            }
            current.append(least)
        }
        (before, last) = (last, current)
    }
    return last[second.count]
}
