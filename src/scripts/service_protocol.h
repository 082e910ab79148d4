// What the kinds "api", "push", "hooks" and "describe" are given and what they may end with: the JSON between host/servings.js and those
// who call. Each names a file of the call's bundle.
//
// "api" (mobile-backend-wire 5.6)
//   Context  {"file","method":"get"…,"path": below the API, still encoded,"url": the same with the query,"base":"/api/A",
//             "query":{…},"headers":{lower-case name: text},"body": what JSON or a form gave | "text" | "base64",
//             "protocol","ip","user": as in table_protocol.h,"permissions":{route:{verb:level}},
//             "proved":{"application","user","admin"}: what the caller is; absent: nothing is asked of it,
//             "probe"?: only load the file; the call fails with invalid_request when that is what fails}
//   Outcome  {"status","headers":[[name,value]],"body": text | "base64": bytes}
//            {"status":404|405|401,"none":true,"allow"?:[verbs]}       no route of the file is for that, or not for the caller
//
// "push": extensions/push.js
//   Context  {"file","registration":{…},"user"}     Outcome  {} | {"registration":{…}} | {"refused": text}
//
// "hooks": table/T.js with beforeInsert, afterRead …
//   Context and outcome of table_protocol.h, and in the context "script": the file
//
// Apps of the second generation (5.10), whose main file is "app.js" or whatever it is called:
//   "describe"   Context  {"app": the main file}
//                Outcome  {"made": there is an app, "tables":[{"name","code":[operations that the app's own functions stand around],
//                         "levels"?:{operation: public | authenticated | disabled},"dynamicSchema"?,"autoIncrement"?,"softDelete"?,
//                         "perUser"?,"userIdColumn"?,"pageSize"?,"maxTop"?,"columns"?:{name: type},"indexes"?:[[columns]],
//                         "seed"?:[rows],"databaseTableName"?}],"apis":[{"name","levels":{verb: level}}],
//                         "refused"?:[what of the main file cannot be served and must not be lost]}; of the levels those that are said
//   "api"        Context also {"app","name"}; what it may is said by the app itself
//   "hooks"      Context also {"app": true,"dialect","asked": what an API is told, without a body}; "script" is the main file
//                Outcome also {"response":{"status","headers","body" | "base64"}}, and "headers" beside "default"
//                request.execute also takes "filter": OData text, a condition that the row must meet beside its id
//                tables.* also take "asCaller": rows of somebody's own stay so; "filter" (update, del, undelete); "row": give the row
//                   tables.undelete {"table","id","version"?} → {"item"}    tables.truncate {"table"} → {}
//                   tables.schema {"table"} → {"columns":[{"name","type"}]}
//
// Binding, for every kind:
//   http.fetch {"method","url","headers":[[name,value]],"body"?: base64,"timeout"?: ms} → {"status","headers":[[name,value]],"body"?: base64}
#pragma once
