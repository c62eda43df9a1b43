internal import Foundation

/// The variables of a run under a sanitizer, for a child process that gets an environment of its own.
package let sanitizerEnvironment = ProcessInfo.processInfo.environment.filter { name, _ in
    ["LD_PRELOAD", "TSAN_OPTIONS", "ASAN_OPTIONS", "LSAN_OPTIONS"].contains(name)
}
