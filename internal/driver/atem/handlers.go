package atem

import "github.com/patchbay-io/patchbay/protocol/atem"

// on makes a handler of fields out of one of messages. It reports false when no layout fits the body.
func on[T any, M interface {
	*T
	atem.Message
}](f func(*board, *T)) func(*board, []byte) bool {
	return func(b *board, body []byte) bool {
		v := new(T)
		if M(v).Parse(b.ver, body) != nil {
			return false
		}
		f(b, v)
		return true
	}
}

// handlers are what each field does to the board; never changed. What is not here is known to the catalogue and shown by
// decode, and has no points.
var handlers = map[atem.Code]func(*board, []byte) bool{
	atem.CodeVer:  on(takeVersion),
	atem.CodePin:  on(takeProduct),
	atem.CodeTop:  on(takeTopology),
	atem.CodeMeC:  on(takeMixEffectConfig),
	atem.CodePowr: on(takePower),
	atem.CodeVMC:  on(takeVideoModes),
	atem.CodeVidM: on(takeVideoStandard),
	atem.CodeSwVr: on(takeSoftwareVersion),
	atem.CodeTime: on(takeTime),
	atem.CodeWarn: on(takeWarning),
	atem.CodeInCm: on(takeComplete),

	atem.CodeInPr: on(takeInput),
	atem.CodeTlIn: on(takeTallyByInput),
	atem.CodeTlSr: on(takeTallyBySource),

	atem.CodePrgI: on(takeProgram),
	atem.CodePrvI: on(takePreview),
	atem.CodeTrSS: on(takeSelection),
	atem.CodeTrPr: on(takeTransitionPreview),
	atem.CodeTrPs: on(takePosition),
	atem.CodeTMxP: on(takeMix),
	atem.CodeTDpP: on(takeDip),
	atem.CodeTWpP: on(takeWipe),
	atem.CodeTDvP: on(takeDVE),
	atem.CodeTStP: on(takeStinger),
	atem.CodeFtbS: on(takeFade),
	atem.CodeFtbP: on(takeFadeRate),

	atem.CodeKeOn: on(takeKeyOnAir),
	atem.CodeKeBP: on(takeKeyBase),
	atem.CodeDskB: on(takeDSKSources),
	atem.CodeDskP: on(takeDSKProperties),
	atem.CodeDskS: on(takeDSKState),

	atem.CodeAuxS: on(takeAux),
	atem.CodeColV: on(takeColour),
	atem.CodeSSrc: on(takeSuperSourceArt),
	atem.CodeSSBP: on(takeSuperSourceBox),

	atem.CodeMPCE: on(takeMediaPlayer),
	atem.CodeRCPS: on(takeClipPlayer),
	atem.CodeMPfe: on(takeStill),
	atem.CodeMPCS: on(takeClip),

	atem.CodeMPrp: on(takeMacro),
	atem.CodeMRPr: on(takeMacroRun),
	atem.CodeMRcS: on(takeMacroRecord),

	atem.CodeAMIP: on(takeClassicInput),
	atem.CodeAMMO: on(takeClassicMaster),
	atem.CodeAMLv: on(takeClassicLevels),
	atem.CodeFASP: on(takeStrip),
	atem.CodeFASD: on(takeStripRemoved),
	atem.CodeFAMP: on(takeFairlightMaster),
	atem.CodeFMLv: on(takeStripLevels),
	atem.CodeFDLv: on(takeMasterLevels),

	atem.CodeStRS: on(takeStreaming),
	atem.CodeSRSS: on(takeStreamingStatistics),
	atem.CodeSRST: on(takeStreamingTime),
	atem.CodeSRSU: on(takeStreamingService),
	atem.CodeRTMS: on(takeRecording),
	atem.CodeRTMR: on(takeRecordingTime),
	atem.CodeRMSu: on(takeRecordingSettings),
}

// known reports whether the catalogue has a code.
func known(c atem.Code) bool {
	_, ok := atem.Lookup(c)
	return ok
}
