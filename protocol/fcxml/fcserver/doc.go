// Package fcserver is the server side of Focusrite Control: it greets programs, keeps their subscriptions, and writes one
// frame at a time, as programs in the field need it. What devices there are, what they are worth and who may change them is
// a [Handler]'s business; [Approvals] is a store for the last.
package fcserver
