// JSON values are part of what this library's declarations take and give, so an application has them with
// `import AgentSessions` alone. `public import` would not do: it lets our declarations name the types, but under
// MemberImportVisibility a file that uses a member of one then needs an import of the other module as well. Type aliases
// would take one for each type, and bring no members either. `@_exported` is the spelling that there is for it, as
// swift-crypto and swift-distributed-tracing have it; the one line serves every file of this module, too.
@_exported public import AgentSessionsJSON
