package gateway

// scrubbed is err with a text that holds no secrets. Its class, its hint and its causes stay.
func (g *Gateway) scrubbed(err error) error {
	if text := g.opt.Scrub(err.Error()); text != err.Error() {
		return &scrubbedError{err, text}
	}
	return err
}

type scrubbedError struct {
	error
	text string
}

func (e *scrubbedError) Error() string { return e.text }

// Unwrap gives the error as it was.
func (e *scrubbedError) Unwrap() error { return e.error }
