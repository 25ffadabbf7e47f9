package north

// Measure is one number that a part of the program keeps about itself, for doors that report on the program. Name is
// words in lower case joined by "_", in base units (seconds, bytes), without the name of the program; a counter ends in
// "_total". All measures of one name have the same Help, Counter and label keys, and no two have equal labels.
type Measure struct {
	Name    string
	Help    string // one sentence without a full stop
	Counter bool   // it only grows, but for a new start; else it goes up and down
	Labels  []MeasureLabel
	Value   float64
}

// MeasureLabel tells the measures of one name apart.
type MeasureLabel struct{ Key, Value string }

// Measured is a part of the program that counts what it does.
type Measured interface {
	// Measures calls yield for each number there is now, all of one name together. It is safe for concurrent use and
	// waits for no device and no client.
	Measures(yield func(Measure))
}
