// What a "table" script is given and what it may end with: the JSON between host/request.js and tables/scripted.
//
// Context:  {"operation": "read"|"insert"|"update"|"del", "table", "id"?, "item"?, "query"?: Query, "parameters": {…},
//            "conflict"?: the row that the act met instead: the function conflict(item, row, user, request) is called,
//            "dates"?: {member: milliseconds} of the item, "conflictDates"?: members of that row: what scripts get as Date
//            "systemProperties": […], "includeDeleted", "undelete", "user": {"level","userId"?,"identities"?}}
// Query:    {"filter","orderBy","select": OData texts, "skip"?, "top"?, "inlineCount"?, "id"?}
//
// Outcome, one of
//   {"execute": {"item"?|"query"?, "systemProperties"?, "includeDeleted"?}}     execute, then answer by default; with
//   {"execute": …, "answer"|"error": …}                                         … execute, but answer with what is given
//   {"answer": {"status","body"?}}                                              the script answered by itself
//   {"error": {"statusCode","message","stack"}}                                 … with an error
//   {"default": {"results"?,"totalCount"?,"item"?}}                             request.execute was called through the
//   {"defaultError": true}                                                      binding; its default answer, as the script
//                                                                               left it, or the default of its error
// Binding:
// Beside rows, "dates": the members of theirs that are moments
//   request.execute {"item"?|"query"?, "systemProperties"?, "includeDeleted"?} → {"results","totalCount"?} | {"item"} | {} | {"conflict": row}
//   tables.read {"table","query",…} → {"results","totalCount"?}        tables.lookup {"table","id",…} → {"item"}
//   tables.insert {"table","item",…} → {"item"}                       tables.update {"table","item",…} → {"item"} | {"conflict": row}
//   tables.del {"table","id","version"?,…} → {} | {"conflict": row}
#pragma once
