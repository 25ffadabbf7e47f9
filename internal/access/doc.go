// Package access knows who may do what: users with passwords, tokens of programs, the sessions of the page, and roles.
// It decides and remembers; it opens nothing, starts no goroutine and knows no door. What it holds of a password is an
// argon2id hash, and of a token or a session the SHA-256.
//
// While nobody is configured the access is open: whoever reaches a door may do everything that the devices' own
// configuration allows. Doors that others can reach refuse to start like that.
package access
