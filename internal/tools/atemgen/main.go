// Command atemgen makes of protocol/atem/catalogue what follows from it: the typed messages and tables of protocol/atem, the
// table of fields in docs/protocols, and the Wireshark dissector. Run it without arguments from the root of the repository.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "atemgen:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	for name, b := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate is every generated file by its path from the root of the repository.
func generate(root string) (map[string][]byte, error) {
	cat, err := load(filepath.Join(root, "protocol/atem/catalogue"))
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	add := func(name string, b []byte, e error) {
		if e != nil && err == nil {
			err = fmt.Errorf("%s: %w", name, e)
		}
		files[name] = b
	}
	b, e := goSets(cat)
	add("protocol/atem/values_gen.go", b, e)
	b, e = goCodes(cat)
	add("protocol/atem/codes_gen.go", b, e)
	b, e = goTable(cat)
	add("protocol/atem/table_gen.go", b, e)
	for _, f := range cat.families {
		b, e = goFamily(f)
		add("protocol/atem/"+f.name+"_gen.go", b, e)
	}
	files["packaging/wireshark/atem.lua"] = luaDissector(cat)
	files["docs/protocols/atem-fields.md"] = fieldsPage(cat)
	return files, err
}
