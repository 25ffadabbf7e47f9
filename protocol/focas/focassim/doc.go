// Package focassim is a simulated FANUC control that FANUC's own library accepts. It runs a part program: axes move along
// it with limited acceleration, feed and spindle follow the overrides, loads follow the motion, parts and hours are
// counted, alarms come and go by scenario. Macro variables, parameters, PMC areas, offsets and programs are memory in
// which reads and writes agree.
//
// The machine is a function of its options, the elapsed time and what was done to it. No goroutine moves it: each question
// moves it on to the present. With a clock of one's own, tests see the same machine every time.
//
// What the simulator answers is our reading of FANUC's manuals and of the measured exchanges. It is no evidence of what a
// real control does; guesses are marked in the code.
package focassim
