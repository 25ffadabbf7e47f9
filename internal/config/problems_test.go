package config

import (
	"strings"
	"testing"
)

func TestMistakes(t *testing.T) {
	for _, tc := range []struct {
		name, yaml string
		want       []string
	}{
		{"no YAML", "devices: [\n", []string{"patchbay.yaml:", "no valid YAML"}},
		{"colon at the end", "devices:\n  m:\n    url: sim+mill:\n", []string{"patchbay.yaml:3:10:", `what ends with a colon wants quotes: url: "sim+mill:"`}},
		{"colon at the end, short", "devices:\n  m: sim+mill:\n", []string{"patchbay.yaml:2:6:", `wants quotes: m: "sim+mill:"`}},
		{"not a mapping", "just words", []string{"patchbay.yaml:1:1:", "must be a mapping"}},
		{"two documents", "listen: a:1\n---\nlisten: b:2\n", []string{"second YAML document"}},
		{"unknown key", "listne: 127.0.0.1:1", []string{`patchbay.yaml:1:1: unknown key "listne". Did you mean "listen"?`, "1 | listne: 127.0.0.1:1", "| ^"}},
		{"unknown key, nothing near", "zzzzzzzz: 1", []string{"Known here: version, listen"}},
		{"duplicate key", "listen: a:1\nlisten: b:1\n", []string{`patchbay.yaml:2:1: "listen" stands twice; it is already on line 1`}},
		{"version", "version: 7", []string{"patchbay.yaml:1:10: version 7 is not known", "version 1"}},
		{"listen", "listen: nowhere", []string{"patchbay.yaml:1:9:", "write HOST:PORT"}},
		{"listen port", "listen: a:99999", []string{"write HOST:PORT"}},
		{"log level", "log: {level: loud}", []string{`"loud" is none of debug, info, warn, error`}},
		{"log key", "log: {levle: info}", []string{`Did you mean "level"?`}},
		{"device twice", "devices:\n  m: mill://a\n  m: mill://b\n", []string{`patchbay.yaml:3:3: "m" stands twice; it is already on line 2`}},
		{"serial port of no device", "devices: {mill1: 'mill://a'}\nserial: {ports: {mil1/1: {raw: 4001}}}",
			[]string{`patchbay.yaml:2:18: serial: no device is called "mil1". Did you mean "mill1"? Known here: mill1`}},
		{"device name", "devices: {'Mill 1': 'mill://a'}", []string{`"Mill 1" cannot name a device`}},
		{"device without URL", "devices: {m: }", []string{`device "m" has no URL; write m: mill://192.0.2.10`}},
		{"section without url", "devices: {m: {poll: 1s}}", []string{`device "m" has no url; add url: mill://192.0.2.10`}},
		{"device is a number", "devices: {m: 12}", []string{`device "m" must be a URL or a mapping`}},
		{"scheme", "devices: {m: 'mil://a'}", []string{`"mil" is no known scheme. Did you mean "mill"? Known: mill, sim+mill, replay+mill, mill+tls, desk`}},
		{"no recording", "devices: {m: 'replay+desk:x.transcript'}", []string{`"replay+desk" is no known scheme`, "Known: mill"}},
		{"no simulator", "devices: {m: 'sim+desk:'}", []string{`"sim+desk" is no known scheme`}},
		{"no simulator of a scheme", "devices: {m: 'sim+mill+tls:'}", []string{`"sim+mill+tls" is no known scheme. Did you mean "sim+mill"?`}},
		{"no scheme", "devices: {m: 'plain words'}", []string{"write it like mill://192.0.2.10"}},
		{"no host", "devices: {m: 'mill:'}", []string{"names no host"}},
		{"recording without file", "devices: {m: 'replay+mill:'}", []string{"names no recording; write replay+mill:FILE"}},
		{"recording with host", "devices: {m: 'replay+mill://a/b'}", []string{"names no recording"}},
		{"recording with settings of the simulator", "devices: {m: 'replay+mill:a.transcript?profile=30i'}", []string{`unknown setting "profile"`}},
		{"simulator with host", "devices: {m: 'sim+mill://a'}", []string{"has no host"}},
		{"path", "devices: {m: 'mill://a/b'}", []string{"nothing but ?key=value may follow the host"}},
		{"bad port", "devices: {m: 'mill://a:x'}", []string{"is no URL", "invalid port"}},
		{"unknown query", "devices: {m: 'mill://a?pol=1s'}", []string{`unknown setting "pol" in the URL. Did you mean "poll"?`}},
		{"twin setting without twin", "devices: {m: 'mill://a?profile=30i'}", []string{`unknown setting "profile"`}},
		{"bad query", "devices: {m: 'mill://a?x=%zz'}", []string{"the part after ? is wrong"}},
		{"query type", "devices: {m: 'mill://a?size=big'}", []string{"size: a value of this type cannot be used here; expected a whole number"}},
		{"query and key", "devices: {m: {url: 'mill://a?poll=1s', poll: 2s}}", []string{`"poll" is given here and in the URL`}},
		{"option key", "devices:\n  m:\n    url: mill://a\n    pol: 1s\n", []string{`patchbay.yaml:4:5: unknown key "pol". Did you mean "poll"?`, "4 |     pol: 1s", "    |     ^"}},
		{"option type", "devices:\n  m:\n    url: mill://a\n    size: big\n", []string{"patchbay.yaml:4:11: size:", "expected a whole number"}},
		{"option duration", "devices:\n  m:\n    url: mill://a\n    poll: soon\n", []string{"patchbay.yaml:4:11: poll:"}},
		{"option range", "devices:\n  m:\n    url: mill://a\n    poll: 1ms\n", []string{"patchbay.yaml:4:11: poll: 1ms is out of range; give 10ms to 1h"}},
		{"label", "devices: {m: {url: 'mill://a', labels: {sit: x}}}", []string{`Did you mean "site"?`}},
		{"label type", "devices: {m: {url: 'mill://a', labels: {site: [x]}}}", []string{"labels.site must be a text"}},
		{"pattern", "devices: {m: {url: 'mill://a', writable: ['a//b', 'x*/y', 'A/b', '**/a']}}", []string{"empty segment", "whole segment", "something else than a-z", "only at the end"}},
		{"writable type", "devices: {m: {url: 'mill://a', writable: {a: b}}}", []string{"writable must be a list"}},
		{"secret variable", "devices: {m: {url: 'mill://a', password: '${env:NOPE}'}}", []string{"the environment variable NOPE is not set"}},
		{"secret file", "devices: {m: {url: 'mill://a', password: '${file:nope.txt}'}}", []string{"the file of a secret cannot be read"}},
		{"secret kind", "devices: {m: {url: 'mill://a', password: '${vault:x}'}}", []string{"a reference is written ${env:NAME} or ${file:PATH}"}},
		{"secret unfinished", "devices: {m: {url: 'mill://a', password: '${env:PW'}}", []string{"a reference is written ${env:NAME} or ${file:PATH}"}},
		{"several at once", "listne: x\ndevices:\n  a: mil://x\n  b: {url: mill://x, pol: 1s}\n", []string{"patchbay.yaml:1:1", "patchbay.yaml:3:6", "patchbay.yaml:4:22"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Load(input(tc.yaml))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in:\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is shown:\n%v", err)
			}
		})
	}
}

func TestMistakesElsewhere(t *testing.T) {
	in := input("")
	in.URLs = []string{"mil://a"}
	in.Getenv = func(n string) (string, bool) { return "loud", n == "PATCHBAY_LOG_LEVEL" }
	in.Flags.Listen = "x"
	_, err := Load(in)
	for _, want := range []string{`command line: "mil" is no known scheme`, "environment variable PATCHBAY_LOG_LEVEL: log.level", "flag --listen: listen"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load(Input{File: "nowhere.yaml"})
	if err == nil || err.Error() != "configuration file nowhere.yaml does not exist" {
		t.Errorf("%v", err)
	}
	if _, err = Load(Input{File: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("%v", err)
	}
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{"", "devices: {m: mill://a?poll=1s}", "devices:\n m:\n  url: sim+mill:\n  names: [a, '${env:PW}']\n", "a: &x 1\nb: *x", "? [1]: 2", "log: !!str x", "devices: {m: {<<: {url: mill://a}}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, yaml string) {
		if strings.Contains(yaml, "${file:") {
			return
		}
		c, err := Load(input(yaml))
		if err != nil {
			_ = err.Error()
			return
		}
		_ = c.Explain()
	})
}
