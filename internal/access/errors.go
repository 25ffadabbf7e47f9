package access

import (
	"errors"
	"fmt"
	"time"
)

// The reasons why somebody is not recognised. None says which of name and password was wrong.
var (
	ErrBadLogin = errors.New("the name or the password is wrong")
	ErrBadToken = errors.New("the token is not known")
	ErrNoLogin  = errors.New("nobody is signed in")
	ErrNoUsers  = errors.New("this gateway has no users")
	ErrBusy     = errors.New("too many passwords are being checked at this moment")
)

// TooMany is the error when something is asked for more often than allowed.
type TooMany struct {
	What  string        // "failed logins from 192.0.2.7"
	After time.Duration // when trying again makes sense
}

// Error says so.
func (e *TooMany) Error() string {
	return fmt.Sprintf("too many %s; try again in %v", e.What, max(e.After.Round(time.Second), time.Second))
}

// Denied is the error when somebody who is known may not do something.
type Denied struct{ Text, Hint string }

// Error is the text.
func (e *Denied) Error() string { return e.Text }
