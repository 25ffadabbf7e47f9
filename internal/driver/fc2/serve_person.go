package fc2

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
)

// The points and commands of pairing with our own server.
var (
	pairingRoot = device.ClientsRoot.Child("pairing")
	approvePath = pairingRoot.Child("approve")
	denyPath    = pairingRoot.Child("deny")
)

func serverSpecs() []device.Spec {
	spec := func(path device.Path, kind device.Kind, title, doc string) device.Spec {
		return device.Spec{Path: path, Kind: kind, Rate: device.Normal, Access: device.R, Title: title, Doc: doc, Grade: device.GradeSeen}
	}
	root := device.ClientsRoot
	return []device.Spec{
		spec(root.Child("listen"), device.String, "Listens on", "addresses of the secure and of the onboarding endpoint"),
		spec(root.Child("server-key"), device.String, "Public key", "public key of this server, which programs need to find out"),
		spec(root.Child("count"), device.Int, "Programs", "programs that are connected"),
		spec(root.Child("forwarded"), device.Int, "Forwarded", "changes that went to the device"),
		spec(root.Child("refused"), device.Int, "Refused", "changes that were not let through"),
		spec(pairingRoot.Child("state"), device.String, "Pairing", "ready, approving, or scanning while a code is shown"),
		spec(pairingRoot.Child("name"), device.String, "Asks to be let in", "what the program calls itself; empty: nobody asks"),
		spec(pairingRoot.Child("waiting"), device.Int, "Wait behind it", "how many more ask; the next is shown when this one has been let in or denied"),
		spec(pairingRoot.Child("code-for"), device.String, "Code for", "what the program calls itself that the code is for; empty: none is shown"),
		spec(pairingRoot.Child("let-in"), device.Int, "Let in", "how many programs have given their code back and were let in since the server began"),
		spec(pairingRoot.Child("code"), device.String, "Code", "what the program is to be given, as a QR code would hold it; empty: none is shown"),
	}
}

func serverCommands() []device.Command {
	return []device.Command{
		{Path: approvePath, Title: "Let in", Doc: "lets the program in that asks, once it has been given the code", Grade: device.GradeSeen, Hazard: device.HazardMove},
		{Path: denyPath, Title: "Deny", Doc: "sends the program away that asks; when none asks, takes back the code that is shown", Grade: device.GradeSeen},
	}
}

// samples are the values of serverSpecs; changed is closed when who asks or what code is shown may be different.
func (p *proxy) samples() (all []device.Sample, changed <-chan struct{}) {
	now := time.Now()
	prompt, changed := p.prompts.Look()
	state := p.server.State()
	p.mu.Lock()
	p.told = prompt
	p.mu.Unlock()
	name, codeFor := "", ""
	if prompt.Asks != nil {
		name = prompt.Asks.Name
	}
	if prompt.Shows != nil {
		codeFor = prompt.Shows.Name
	}
	sample := func(path device.Path, v device.Value) device.Sample {
		return device.Sample{Path: path, Value: v, Received: now}
	}
	root := device.ClientsRoot
	return []device.Sample{
		sample(root.Child("listen"), device.OfString(p.listen)),
		sample(root.Child("server-key"), device.OfString(p.id.Public().String())),
		sample(root.Child("count"), device.OfInt(int64(len(p.server.Conns())))),
		sample(root.Child("forwarded"), device.OfInt(int64(p.forwarded.Load()))),
		sample(root.Child("refused"), device.OfInt(int64(p.refused.Load()))),
		sample(pairingRoot.Child("state"), device.OfString(state)),
		sample(pairingRoot.Child("name"), device.OfString(name)),
		sample(pairingRoot.Child("waiting"), device.OfInt(int64(len(prompt.Behind)))),
		sample(pairingRoot.Child("code-for"), device.OfString(codeFor)),
		sample(pairingRoot.Child("let-in"), device.OfInt(int64(p.letIn.Load()))),
		sample(pairingRoot.Child("code"), device.OfString(fc2.FormatCode(prompt.Code))),
	}, changed
}

// Approve implements fc2server.Person.
func (p *proxy) Approve(ctx context.Context, r fc2server.Request) (bool, error) {
	p.env.Log.Info("a program asks to be let in", "name", r.Name, "from", r.Addr, "key", r.Key.String())
	return p.prompts.Approve(ctx, r)
}

// Show implements fc2server.Person.
func (p *proxy) Show(r fc2server.Request, code []byte) (hide func()) {
	return p.prompts.Show(r, code)
}

// Do performs the commands of pairing.
func (p *proxy) Do(_ context.Context, path device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	refuse := func(class driver.Class, err error) (device.Value, driver.Outcome) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "pair", Target: p.device, Class: class, Err: err}}
	}
	if path != approvePath && path != denyPath {
		return refuse(driver.Unsupported, fmt.Errorf("there is no command %q", path))
	}
	p.mu.Lock()
	told := p.told
	p.mu.Unlock()
	var done bool
	switch {
	case told.Asks != nil:
		done = p.prompts.Decide(told.Asks.ID, path == approvePath) == nil
	case told.Shows != nil && path == denyPath:
		done = p.server.Cancel(told.Shows.ID)
	default:
		return refuse(driver.DeviceSaidNo, fc2server.ErrNobodyAsks)
	}
	if !done {
		return refuse(driver.DeviceSaidNo, errGone)
	}
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

// errGone keeps a decision from whoever has taken the place of the one it was meant for.
var errGone = errors.New("the program that asked has gone, or was answered already; look who asks now")
