// http, https, request and fetch of scripts: each exchange is asked of the parent.
#include "tests/scripts/service_bench.h"

namespace mandate::scripts::test {
namespace {

class Egress : public ServiceTest {
 protected:
  void answers(int status, std::string_view body_base64, std::string_view headers = R"([["Content-Type","application/json"]])") {
    binding->answers["http.fetch"].push_back(json(R"({"status":)" + std::to_string(status) + R"(,"headers":)" + std::string(headers) + R"(,"body":")" + std::string(body_base64) + "\"}"));
  }
  std::string asked(std::size_t i = 0) const { return i < binding->asked.size() ? to_json(binding->asked[i].arguments) : ""; }
};

TEST_F(Egress, HttpGetAndRequestWorkAsInNode) {
  answers(200, "eyJhIjoxfQ==");
  EXPECT_EQ(insert("require('http').get('http://example.org/b?c=1', function (res) { var d = ''; res.setEncoding('utf8'); res.on('data', function (c) { d += c }); res.on('end', function () { request.respond(res.statusCode, [d, res.headers['content-type']]) }) })"),
            R"(["{\"a\":1}","application/json"])");
  EXPECT_EQ(asked(), R"({"method":"GET","url":"http://example.org/b?c=1","headers":[]})");
  answers(201, "b2s=");
  EXPECT_EQ(insert("var r = require('https').request({ host: 'h.example', port: 8443, path: '/p', method: 'POST', headers: { 'X-A': '1' } }, function (res) { res.on('data', function (c) { request.respond(200, String(c)) }) }); r.write('hel'); r.end('lo')"), R"("ok")");
  EXPECT_EQ(asked(1), R"({"method":"POST","url":"https://h.example:8443/p","headers":[["X-A","1"]],"body":"aGVsbG8="})");
}

TEST_F(Egress, RequestTakesItsUsualOptions) {
  answers(200, "eyJhIjoxfQ==");
  EXPECT_EQ(insert("require('request')({ url: 'http://e.example/x', qs: { q: '1 2' }, json: { k: 1 }, method: 'POST', auth: { user: 'u', pass: 'p' } }, function (e, res, body) { request.respond(200, [e, res.statusCode, body]) })"), R"([null,200,{"a":1}])");
  EXPECT_EQ(asked(), R"({"method":"POST","url":"http://e.example/x?q=1%202","headers":[["Accept","application/json"],["Content-Type","application/json"],["Authorization","Basic dTpw"]],"body":"eyJrIjoxfQ=="})");
  answers(200, "b2s=");
  EXPECT_EQ(insert("require('request').post('http://e.example/', { form: { a: 'b c' } }, function (e, res, body) { request.respond(200, body) })"), R"("ok")");
  EXPECT_EQ(asked(1), R"({"method":"POST","url":"http://e.example/","headers":[["Content-Type","application/x-www-form-urlencoded"]],"body":"YT1iJTIwYw=="})");
}

TEST_F(Egress, ARedirectElsewhereLeavesTheCredentialsBehind) {
  answers(302, "", R"([["Location","http://other.example/end"]])");
  answers(200, "b2s=");
  EXPECT_EQ(insert("require('request')({ url: 'http://e.example/', headers: { Authorization: 'secret', 'X-A': '1' } }, function (e, res, body) { request.respond(200, body) })"), R"("ok")");
  EXPECT_EQ(asked(1), R"({"method":"GET","url":"http://other.example/end","headers":[["X-A","1"]]})");
}

TEST_F(Egress, FetchIsThereForModernScripts) {
  answers(200, "eyJhIjoxfQ==");
  EXPECT_EQ(insert("fetch('https://e.example/f', { method: 'PUT', body: 'xx' }).then(function (r) { return r.json().then(function (j) { request.respond(200, [r.ok, j, r.headers.get('content-type')]) }) })"), R"([true,{"a":1},"application/json"])");
  binding->answers["http.fetch"].push_back(Error(Code::bad_request, "blocked_address"));
  EXPECT_EQ(insert("fetch('http://127.0.0.1/').catch(function (e) { request.respond(200, [e.name, e.cause.code]) })"), R"(["TypeError","EACCES"])");
}

TEST_F(Egress, ErrorsGoToTheirHandlersAndElseFailTheCall) {
  const auto refused = [&] { binding->answers["http.fetch"].push_back(Error(Code::bad_request, "blocked_address")); };
  refused();
  EXPECT_EQ(insert("require('http').get('http://10.0.0.1/').on('error', function (e) { request.respond(200, [e.code, e.message]) })"), R"(["EACCES","Scripts may not reach that address."])");
  refused();
  EXPECT_EQ(insert("require('request')('http://10.0.0.1/', function (e) { request.respond(200, e.code) })"), R"("EACCES")");
  refused();
  EXPECT_THAT(insert("require('http').get('http://10.0.0.1/')"), ::testing::StartsWith("server_error: Error: Scripts may not reach that address."));
  binding->answers["http.fetch"].push_back(Error(Code::timeout, ""));
  EXPECT_EQ(insert("require('request')('http://slow.example/', function (e) { request.respond(200, e.code) })"), R"("ETIMEDOUT")");
}

TEST_F(Egress, ThePackageOfAServiceComesBeforeOurStandIn) {
  files({{"node_modules/request/index.js", "module.exports = 'its own'"}});
  EXPECT_EQ(insert("request.respond(200, require('request'))"), R"("its own")");
  files({{"node_modules/request/index.js", "require('net')"}}, "2");
  EXPECT_EQ(insert("request.respond(200, typeof require('request').post)"), R"("function")");
}

TEST_F(Egress, PacksAndUnpacks) {
  EXPECT_EQ(insert("var z = require('zlib'); z.gzip('abc', function (e, packed) { z.gunzip(packed, function (e, text) { request.respond(200, [text.toString(), z.inflateSync(z.deflateSync('x')).toString()]) }) })"), R"(["abc","x"])");
  EXPECT_THAT(insert("var z = require('zlib'); z.gunzipSync(z.gzipSync(Buffer.alloc(17 << 20)))"), ::testing::StartsWith("server_error: Error: "));
}

TEST_F(Egress, EmittersMayBeInherited) {
  EXPECT_EQ(insert("var E = require('events').EventEmitter, seen = []; function A() { E.call(this) } require('util').inherits(A, E); var a = new A(); a.once('x', function (v) { seen.push(v) }); a.on('x', function (v) { seen.push(-v) }); a.emit('x', 1); a.emit('x', 2); request.respond(200, [seen, a.listeners('x').length])"), "[[1,-1,-2],1]");
}

}  // namespace
}  // namespace mandate::scripts::test
