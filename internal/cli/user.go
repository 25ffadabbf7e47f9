package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/config"
)

// memberFlags are the flags of user add and user token.
type memberFlags struct {
	role     string
	writable []string
	write    string
	replace  bool
}

func (m *memberFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&m.role, "role", "", "what they may do: viewer, operator or admin")
	f.StringArrayVar(&m.writable, "writable", nil, "pattern DEVICE/PATH of what an operator may write; may be repeated. Without it: everything that the devices allow")
	f.StringVar(&m.write, "write", "", "put it into this configuration file instead of printing the lines; everything else in it stays as it is")
	f.BoolVar(&m.replace, "replace", false, "with --write: the name is there already and gets a new secret; role and patterns stay unless given")
}

func (m *memberFlags) check(name string) error {
	if !config.ValidName(name) {
		return usageError(fmt.Errorf("%q cannot be a name here: use a-z, 0-9, '-', '_' and '.', at most 63 of them", name))
	}
	if m.replace && m.write == "" {
		return usageError(errors.New("--replace is for a file; name it with --write FILE"))
	}
	if m.replace && m.role == "" {
		if m.writable != nil {
			return usageError(errors.New("--writable with --replace needs --role too; without both they stay as they are"))
		}
		return nil
	}
	if _, err := access.ParseRole(m.role); err != nil {
		if m.role == "" {
			err = errors.New("say with --role what they may do: viewer (read), operator (write too) or admin (the audit and reloads too)")
		}
		return usageError(err)
	}
	for _, p := range m.writable {
		if err := config.CheckUserPattern(p); err != nil {
			return usageError(err)
		}
	}
	return nil
}

func (a *app) userCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "user",
		Short: "Make users and tokens for a gateway, and list them",
		Long: `Make users and tokens for a gateway, and list them. People sign in at the page with a password; programs send a token.
Both stand in the configuration, the password as its argon2id hash and the token as its SHA-256.`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, sub := range []*cobra.Command{a.userAddCommand(), a.userTokenCommand(), a.userListCommand()} {
		sub.Args = usageArgs(sub.Args)
		c.AddCommand(sub)
	}
	return c
}

func (a *app) userAddCommand() *cobra.Command {
	var m memberFlags
	var fromStdin bool
	c := &cobra.Command{
		Use:   "add NAME --role ROLE",
		Short: "Make a user who signs in with a password",
		Long: `Make a user who signs in with a password. It is asked for on the terminal, or read from standard input with
--password-stdin. The lines for the configuration are printed, or put into a file with --write.`,
		Example: "  patchbay user add anna --role operator --writable 'mill1/macros/*' --write patchbay.yaml\n  patchbay user add anna --write patchbay.yaml --replace",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := m.check(args[0]); err != nil {
				return err
			}
			if err := writableFile(m.write); err != nil {
				return err
			}
			password, err := a.newPassword(args[0], fromStdin)
			if err != nil {
				return err
			}
			a.secrets.Add(password)
			hash, err := access.HashPassword(password, rand.Reader)
			if err != nil {
				return usageError(err)
			}
			return a.putMember(config.Member{Section: "users", Name: args[0], Secret: hash}, m, "")
		},
	}
	m.add(c)
	c.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return c
}

func (a *app) userTokenCommand() *cobra.Command {
	var m memberFlags
	c := &cobra.Command{
		Use:   "token NAME --role ROLE",
		Short: "Make a token for a program",
		Long: `Make a token for a program. The first line of standard output is the token; it is shown this once and kept nowhere. The lines
for the configuration follow, or are put into a file with --write.`,
		Example: "  patchbay user token grafana --role viewer --write patchbay.yaml\n  PATCHBAY_TOKEN=pb_… patchbay ls",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := m.check(args[0]); err != nil {
				return err
			}
			if err := writableFile(m.write); err != nil {
				return err
			}
			token, sum, err := access.NewToken(rand.Reader)
			if err != nil {
				return err
			}
			return a.putMember(config.Member{Section: "tokens", Name: args[0], Secret: sum}, m, token)
		},
	}
	m.add(c)
	return c
}

func (a *app) userListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [FILE]",
		Short: "List the users and tokens of a configuration",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := a.load(args, config.Flags{})
			if err != nil {
				return err
			}
			if !a.json && !c.Somebody() {
				fmt.Fprintf(a.Err, "%s has no users: whoever reaches the gateway may do everything that the devices allow.\n", c.File)
				return nil
			}
			table := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
			row := func(kind, name string, role access.Role, writable []string) error {
				if a.json {
					return a.printJSON(map[string]any{"kind": kind, "name": name, "role": role.String(), "writable": writable})
				}
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", name, kind, role, writableText(role, writable))
				return nil
			}
			for _, u := range c.Access.Users {
				if err := row("user", u.Name, u.Role, u.Writable); err != nil {
					return err
				}
			}
			for _, t := range c.Access.Tokens {
				if err := row("token", t.Name, t.Role, t.Writable); err != nil {
					return err
				}
			}
			return table.Flush()
		},
	}
}

func writableText(role access.Role, writable []string) string {
	switch {
	case role == access.Viewer:
		return "reads"
	case role == access.Admin || writable == nil:
		return "writes what the devices allow"
	case len(writable) == 0:
		return "writes nothing"
	}
	return "writes " + strings.Join(writable, " ")
}

// putMember prints a member or writes it into a file. token, when there is one, is printed first.
func (a *app) putMember(m config.Member, f memberFlags, token string) error {
	m.Role, m.Writable, m.Replace = f.role, f.writable, f.replace
	if f.write != "" {
		if err := writeMember(f.write, m); err != nil {
			return &failure{code: exitConfig, kind: "config", err: err}
		}
	}
	if a.json {
		out := map[string]any{"name": m.Name, "section": m.Section, "file": f.write}
		if token != "" {
			out["token"] = token
		}
		if f.write == "" {
			out["line"] = m.Line()
		}
		return a.printJSON(out)
	}
	if token != "" {
		fmt.Fprintln(a.Out, token)
		fmt.Fprintln(a.Err, "This is the token. It is shown this once.")
	}
	if f.write == "" {
		fmt.Fprintf(a.Out, "%s:\n  %s\n", m.Section, m.Line())
		return nil
	}
	fmt.Fprintf(a.Err, "%s is in %s. A running gateway takes it over with `patchbay reload` or a SIGHUP.\n", m.Name, f.write)
	return nil
}

// writableFile checks a file before somebody types a password for it.
func writableFile(name string) error {
	if name == "" {
		return nil
	}
	err := config.Private(name)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return &failure{code: exitConfig, kind: "config", err: fmt.Errorf("%s is to hold a secret, and %w", name, err)}
}

// writeMember changes a file in one step: whoever reads it sees it before or after. A new file is for its owner alone.
func writeMember(name string, m config.Member) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	var before os.FileInfo // nil: there is no file yet
	mode := os.FileMode(0o600)
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	default:
		if before, err = os.Stat(name); err != nil {
			return err
		}
		mode = before.Mode().Perm()
	}
	out, err := config.WriteMember(data, m)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(out)
	if before != nil && err == nil {
		err = keepOwner(tmp, before)
	}
	err = errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// newPassword asks for a password twice, or reads it from standard input.
func (a *app) newPassword(name string, fromStdin bool) (string, error) {
	if fromStdin {
		line, err := bufio.NewReader(io.LimitReader(a.In, 64<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("standard input: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	in, ok := a.In.(*os.File)
	if !ok || !a.inTerminal {
		return "", usageError(errors.New("there is no terminal to ask for the password; pipe it in with --password-stdin"))
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(a.Err, prompt)
		b, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(a.Err)
		return string(b), err
	}
	password, err := ask("Password of " + name + ": ")
	if err != nil {
		return "", fmt.Errorf("terminal: %w", err)
	}
	again, err := ask("Once more: ")
	if err != nil {
		return "", fmt.Errorf("terminal: %w", err)
	}
	if password != again {
		return "", usageError(errors.New("the two are not the same; nothing was changed"))
	}
	return password, nil
}
