// What the kinds "api", "push" and "hooks" are given and what they may end with: the JSON between host/servings.js and those
// who call. Each names a file of the call's bundle.
//
// "api" (mobile-backend-wire 5.6)
//   Context  {"file","method":"get"…,"path": below the API, still encoded,"url": the same with the query,"base":"/api/A",
//             "query":{…},"headers":{lower-case name: text},"body": what JSON or a form gave | "text" | "base64",
//             "protocol","ip","user": as in table_protocol.h,"permissions":{route:{verb:level}},
//             "proved":{"application","user","admin"}: what the caller is; absent: nothing is asked of it,
//             "probe"?: only load the file}
//   Outcome  {"status","headers":[[name,value]],"body": text | "base64": bytes}
//            {"status":404|405|401,"none":true,"allow"?:[verbs]}       no route of the file is for that, or not for the caller
//
// "push": extensions/push.js
//   Context  {"file","registration":{…},"user"}     Outcome  {} | {"registration":{…}} | {"refused": text}
//
// "hooks": table/T.js with beforeInsert, afterRead …
//   Context and outcome of table_protocol.h, and in the context "script": the file
//
// Binding, for every kind:
//   http.fetch {"method","url","headers":[[name,value]],"body"?: base64,"timeout"?: ms} → {"status","headers":[[name,value]],"body"?: base64}
#pragma once
