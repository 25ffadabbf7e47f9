// Package focassim is a simulated FANUC control. It runs a part program: axes move along it with limited acceleration,
// feed and spindle follow the overrides, loads follow the motion, parts and hours are counted, alarms come and go by
// scenario. Macro variables, parameters, PMC areas, offsets and programs are memory in which reads and writes agree.
//
// The machine is a function of its options, the elapsed time and what was done to it. No goroutine moves it: each question
// moves it on to the present. With a clock of one's own, tests see the same machine every time.
//
// The sizes and layouts of the answers are those that FANUC's own library was measured to accept. The rest is our reading of
// FANUC's manuals and no evidence of what a real control does; guesses are marked in the code.
package focassim
