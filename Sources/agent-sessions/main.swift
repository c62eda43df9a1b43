import AgentSessionsBackends

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

ProcessStart.prepareDescriptors()
let status: Int32
if let arguments = ProcessStart.arguments() {
    let context = ToolContext(console: .process, environment: ConfigurationLevel.processEnvironment)
    status = await Tool.run(arguments, in: context)
} else {
    Console.process.report("error: An argument is not UTF-8. Give file names and values as UTF-8.")
    status = Tool.usageStatus
}
exit(status)
