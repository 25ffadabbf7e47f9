package north

import "context"

// Reloader takes over a changed configuration.
type Reloader interface {
	// Reload reads the configuration again and takes it over; with dryRun it only says what that would do. Of the devices
	// only those that changed are opened anew. An error is a *ReloadError; the configuration before then stays in force.
	Reload(ctx context.Context, dryRun bool) (Reload, error)
}

// Reload is what a configuration changes, or would change.
type Reload struct {
	Applied bool
	Devices []ReloadDevice // all of them: those of the new configuration in its order, then those that are gone
	Restart []string       // keys of the gateway itself that changed and take effect at its next start
}

// ReloadDevice is what becomes of one device.
type ReloadDevice struct {
	Name string
	What string   // "added", "removed", "restarted", "changed" (its connection stays) or "unchanged"
	Keys []string // of its section that changed
}

// ReloadError is why a configuration was not taken over.
type ReloadError struct {
	Code  string   // "no-file", "bad-configuration" or "not-applied"
	Text  string   // what is wrong
	Hint  string   // what to do
	Each  []string // every mistake with its place, without what stands in the file
	Cause error
}

// Error is the text.
func (e *ReloadError) Error() string { return e.Text }

// Unwrap gives the cause.
func (e *ReloadError) Unwrap() error { return e.Cause }
