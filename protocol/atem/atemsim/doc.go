// Package atemsim is a switcher that is not there: it gives its state to clients, does what commands ask, and moves by itself
// as a switcher does: transitions frame by frame, fades to black, downstream keyers, macros, streaming and recording, tally,
// meters. It serves ATEM UDP by itself; whatever carries fields, such as an OpenSwitcher server, can use it by [Switcher.Join],
// [Switcher.Command] and [Switcher.Leave].
//
// The models are made up from what is known of the products: how many of what they have, not a recording of one. The state of
// a real switcher can be loaded instead, see [Options.State]; all behaviour works on that state alone.
//
// What the behaviour of real switchers is known from is recordings of dumps, one of a session, and other people's programs.
// Guesses: that a second auto does nothing while a transition runs, that a transition on preview changes nothing at its end,
// that durations are told when asked and when they start or end, and how long connecting to a streaming server takes.
package atemsim
