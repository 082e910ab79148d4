// The tenant that the unmodified clients meet: apps of every generation, a mobile backend, an API, two people.
export const ana = {name: 'Ana', email: 'ana@example.org', password: 'correct horse battery staple'};
export const ben = {name: 'Ben', email: 'ben@example.org', password: 'purple monkey dishwasher 7'};

/** The tenant's file; `origin` is where the app's pages are served. */
export const tenant = ({origin = 'http://localhost:3000'} = {}) => `
tenant: compat
settings:
  hosts: [localhost]
  flags: [allow_legacy_ro_grant_types, allow_legacy_delegation_grant_types, allow_legacy_tokeninfo_endpoint, enable_legacy_profile]
connections:
  Username-Password-Authentication: {strategy: auth0}
users:
  - {email: ${ana.email}, name: Ana, email_verified: true, password: ${ana.password}}
  - {email: ${ben.email}, name: Ben, email_verified: true, password: ${ben.password}}
apis:
  https://orders.example: {signing_alg: ES256, scopes: ["orders:read"]}
  https://rs256.example: {signing_alg: RS256}
clients:
  todo: {app_type: native, legacy_sdk: uwp}
  legacy-js:
    app_type: spa
    oidc_conformant: false
    callbacks: ["${origin}/6", "${origin}/7", "${origin}/9", "${origin}/10"]
    web_origins: ["${origin}"]
    jwt_configuration: {alg: RS256, lifetime_in_seconds: 36000}
    grant_types: [authorization_code, implicit, refresh_token, legacy_ro, legacy_delegation_id_token, legacy_delegation_refresh_token]
    legacy: {query_tokens: true}
  modern:
    app_type: native
    callbacks: ["https://localhost:{{port}}/mobile"]
    grant_types: [authorization_code, refresh_token]
  worker:
    app_type: non_interactive
    token_endpoint_auth_method: client_secret_post
    client_secret: worker-secret-worker-secret-worker-secret
    grant_types: [client_credentials]
  todo-backend:
    app_type: non_interactive
    addons: {wams: {service: default}}
    allowed_clients: [todo, legacy-js]
client_grants:
  - {client_id: worker, audience: "https://orders.example", scope: ["orders:read"]}
  - {client_id: worker, audience: "https://rs256.example", scope: []}
services:
  default:
    application_key: compat-application-key
    master_key: mandate-test-master-key
    cors_hosts: [localhost]
    tables:
      plain: {permissions: authenticated, soft_delete: true}
      anyone: {permissions: public}
      TodoItem:
        permissions: authenticated
        soft_delete: true
        scripts:
          insert: "function insert(item, user, request) { item.userId = user.userId; request.execute(); }"
          read: "function read(query, user, request) { query.where({ userId: user.userId }); request.execute(); }"
        user_id_column: userId
`;
