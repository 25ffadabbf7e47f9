// Package fcsim is a simulated Focusrite Control with one audio interface: a server that behaves as the program does where
// that is known. The models are of our own making, with made-up serial numbers; their controls are numbered by the rule that
// the recorded devices follow.
//
// The server knows programs by their keys and lets nobody change anything until an operator approves ([Sim.Approve]). What
// a program may not do, or what makes no sense, disappears without an answer, as it does there.
package fcsim
