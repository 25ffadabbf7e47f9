package cli

import (
	"errors"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

// accessHint is what to do about a gateway that wants to know who asks, on the command line.
func accessHint(p *gatewayclient.Problem) string {
	switch p.Code {
	case "login-required":
		return "Give a token with PATCHBAY_TOKEN or --token. `patchbay user token NAME` makes one for the configuration of the gateway."
	case "bad-token":
		return "Check PATCHBAY_TOKEN or --token. `patchbay user token NAME` makes a new one for the configuration of the gateway."
	}
	return p.Hint
}

// hintOfNoGateway is what to do when the gateway was found and is not trusted; empty when it is about something else.
func hintOfNoGateway(err error) string {
	switch {
	case errors.Is(err, gatewayclient.ErrOtherCertificate):
		return "If it got a new certificate, take the new fingerprint from where it runs; if not, somebody stands between."
	case gatewayclient.NotTrusted(err):
		return "Name its certificate with --fingerprint DIGITS, which the gateway showed when it made it, or with --ca FILE."
	}
	return ""
}
