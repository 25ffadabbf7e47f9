package focas

// SettingRequest asks for setting data from..to of an axis, cnc_rdset; the answer is a [Record] with a [ParamType].
// Seen as a request. Setting data are the parameters that the control's setting screen shows; they are written with
// [WriteParamRequest].
func SettingRequest(d Dialect, path uint16, from, to int32, axis int16) Request {
	f := FuncReadSetting
	if d == Classic {
		f = FuncReadSettingClassic
	}
	return recordRequest(path, f, from, to, axis)
}

// SettingInfo2Request asks for descriptions of count settings, cnc_rdsetinfo2, answered by [NumberInfos2]. Seen as a
// request.
func SettingInfo2Request(path uint16, from, count int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadSettingInfo2, Args: [4]int32{from, count}}
}
