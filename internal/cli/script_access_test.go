package cli

import (
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// token FILE takes the first line of a file, which `patchbay user token` wrote, as the token of later commands.
func token(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: token FILE")
	}
	line, _, _ := strings.Cut(ts.ReadFile(args[0]), "\n")
	ts.Setenv("PATCHBAY_TOKEN", line)
}

var aFingerprint = regexp.MustCompile(`[0-9A-F]{2}(:[0-9A-F]{2}){31}`)

// fingerprint VAR finds the fingerprint that the gateway of start VAR showed on standard error, for later commands.
func fingerprint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fingerprint VAR")
	}
	log := ts.Value(logsKey{}).(map[string]*growing)[args[0]]
	if log == nil || !log.wait(limited(ts), aFingerprint.Match) {
		ts.Fatalf("%s shows no fingerprint:\n%s", args[0], log)
	}
	ts.Setenv("PATCHBAY_FINGERPRINT", aFingerprint.FindString(log.String()))
}
