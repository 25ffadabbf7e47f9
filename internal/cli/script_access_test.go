package cli

import (
	"os"
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

// fingerprint FILE finds the fingerprint that a gateway showed on standard error, for later commands.
func fingerprint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fingerprint FILE")
	}
	text, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	digits := regexp.MustCompile(`[0-9A-F]{2}(:[0-9A-F]{2}){31}`).FindString(string(text))
	if digits == "" {
		ts.Fatalf("no fingerprint in %s:\n%s", args[0], text)
	}
	ts.Setenv("PATCHBAY_FINGERPRINT", digits)
}
