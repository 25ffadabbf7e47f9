package focas

import (
	"errors"
	"fmt"
	"testing"
)

func TestCode(t *testing.T) {
	for _, row := range []struct {
		code Code
		want string
	}{
		{0, "EW_OK"}, {EWFunc, "EW_FUNC"}, {EWStop, "EW_STOP"}, {EWSocket, "EW_SOCKET"}, {EWProtocol, "EW_PROTOCOL"}, {1234, "EW(1234)"},
	} {
		if got := row.code.String(); got != row.want {
			t.Errorf("%d: %s, want %s", int16(row.code), got, row.want)
		}
	}
	seen := map[Code]bool{}
	for _, i := range codes {
		if seen[i.code] || i.name == "" || i.meaning == "" {
			t.Errorf("row %+v is twice in the table or has no name or meaning", i)
		}
		seen[i.code] = true
	}
}

func TestErrorIs(t *testing.T) {
	err := fmt.Errorf("reading: %w", &Error{Func: FuncReadMacro, Code: EWNumber, Detail: [2]int16{7, 9}})
	if !errors.Is(err, &Error{Code: EWNumber}) || !errors.Is(err, &Error{Func: FuncReadMacro, Code: EWNumber}) {
		t.Error("the error is not its own code")
	}
	if errors.Is(err, &Error{Code: EWData}) || errors.Is(err, &Error{Func: FuncAlarm, Code: EWNumber}) || errors.Is(err, ErrMark) {
		t.Error("the error is another one too")
	}
	if got, want := err.Error(), "reading: cnc_rdmacro: EW_NUMBER (3): number or range is wrong, detail 7, 9"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p := Reply{Func: FuncAlarm, Code: EWNoOpt}
	if !errors.Is(p.Err(), &Error{Func: FuncAlarm, Code: EWNoOpt}) {
		t.Errorf("Err() = %v", p.Err())
	}
	if p.Code = 0; p.Err() != nil {
		t.Errorf("Err() = %v for code 0", p.Err())
	}
}

func TestFuncTable(t *testing.T) {
	for f, i := range funcs {
		if i.Func != f || i.Name == "" || i.Effect == EffectUnknown {
			t.Errorf("row %#x: %+v", uint16(f), i)
		}
	}
	for _, row := range []struct {
		f    Func
		want string
	}{{FuncAlarm, "cnc_alarm"}, {FuncReadUnits, "ReadUnits"}, {0x7777, "func(0x7777)"}} {
		if got := row.f.String(); got != row.want {
			t.Errorf("%s, want %s", got, row.want)
		}
	}
	if i := Func(0x7777).Info(); i.Effect != EffectUnknown || i.Func != 0x7777 {
		t.Errorf("unknown function: %+v", i)
	}
}
