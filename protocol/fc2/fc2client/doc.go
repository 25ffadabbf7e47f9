// Package fc2client reaches Focusrite Control 2: [Pair] lets a person let this program in, and [Dial] then opens the encrypted
// connection, on which an ocaclient.Client speaks AES70.
package fc2client
