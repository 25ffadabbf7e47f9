// Package httpapi is the HTTP door: devices, points, writes and live events under /api/v1, and the web page at the root.
//
// The contract is docs/guide/http.md; the OpenAPI document at /api/v1/openapi.json is generated from the types here. The
// door listens on loopback alone, because it has no users yet, and refuses requests that a web page elsewhere makes a
// browser send.
package httpapi
