internal import Foundation

/// What a run under a sanitizer tells the processes that it starts, for one that is given an environment of its own.
package let sanitizerEnvironment = ProcessInfo.processInfo.environment.filter { name, _ in
    ["LD_PRELOAD", "TSAN_OPTIONS", "ASAN_OPTIONS", "LSAN_OPTIONS"].contains(name)
}
