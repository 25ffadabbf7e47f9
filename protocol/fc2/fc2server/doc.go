// Package fc2server is Focusrite Control 2 for programs: the secure endpoint, which lets paired programs at a tree of AES70
// objects through an encrypted tunnel, and the onboarding endpoint, where a program asks a person to let it in.
//
// Anybody who reaches the onboarding endpoint may ask, so that requests are few at a time: one program is paired at a time,
// requests come at a bounded rate, and what waits goes away with its connection.
package fc2server
