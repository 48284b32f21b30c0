<#
.SYNOPSIS
    Reads a ConfigMgr log, client form and server form, and prints a JSON object for each record.
.EXAMPLE
    wsyncsim suite run --cmd 'pwsh -NoProfile -File Read-CMLog.ps1 {file}'
.NOTES
    Not run by the tests of wsyncsim: there is no PowerShell where they run.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory, Position = 0)]
    [string]$Path
)

Set-StrictMode -Version 2
[Console]::OutputEncoding = [System.Text.UTF8Encoding]::new($false)
$invariant = [System.Globalization.CultureInfo]::InvariantCulture
$client = [regex]'(?s)<!\[LOG\[(?<text>(?:(?!\r?\n<!\[LOG\[).)*?)\]LOG\]!><time="(?<time>[\d:]+(?:\.\d+)?)(?<bias>[+-]\d+)?" date="(?<date>[\d-]+)" component="(?<component>[^"]*)" context="(?<context>[^"]*)" type="(?<type>\d*)" thread="(?<thread>\d*)"(?: file="(?<file>[^"]*)")?>(?=\r?\n|\0|\z|<!\[LOG\[)'
$server = [regex]'(?m)^\uFEFF?(?<text>.*?) {0,2}\$\$<(?<component>[^<>]*)><(?<date>[\d-]+) (?<time>[\d:]+(?:\.\d+)?)(?<bias>[+-]\d+)?><thread=(?<thread>\d+) \(0x[0-9A-F]+\)>[ \t]*\r?$'

function ConvertTo-Record([System.Text.RegularExpressions.Match]$Match) {
    $clock = ($Match.Groups['time'].Value -split '\.')
    $fraction = if ($clock.Count -gt 1) { $clock[1].PadRight(7, '0').Substring(0, 7) } else { '0000000' }
    $local = [datetime]::MinValue
    $text = '{0} {1}' -f $Match.Groups['date'].Value, $clock[0]
    if (-not [datetime]::TryParseExact($text, 'M-d-yyyy H:mm:ss', $invariant, 'None', [ref]$local)) { return }
    $local = $local.AddTicks([long]$fraction)
    $record = [ordered]@{
        message    = $Match.Groups['text'].Value
        component  = $Match.Groups['component'].Value
        time_local = $local.ToString('yyyy-MM-ddTHH:mm:ss.ffffff', $invariant)
    }
    if ($Match.Groups['thread'].Value) { $record.thread = [long]$Match.Groups['thread'].Value }
    if ($Match.Groups['bias'].Success) {
        # UTC = local time + bias: the sign is the opposite of ISO 8601's
        $bias = [int]$Match.Groups['bias'].Value
        $record.bias_min = $bias
        $record.time_utc = $local.AddMinutes($bias).ToString('yyyy-MM-ddTHH:mm:ss.ffffff', $invariant) + 'Z'
    }
    if ($Match.Groups['type'].Success) {
        if ($Match.Groups['type'].Value) { $record.severity = [int]$Match.Groups['type'].Value }
    }
    elseif ($record.message -match '^STATMSG: ID=\d+ SEV=(?<sev>[IWE]) ') {
        $record.severity = @{ I = 'info'; W = 'warning'; E = 'error' }[$Matches.sev]
    }
    elseif ($record.message -match 'error|fail(?!over)') { $record.severity = 'error' }
    elseif ($record.message -match 'warn') { $record.severity = 'warning' }
    else { $record.severity = 'info' }
    [pscustomobject]@{ Index = $Match.Index; Json = ($record | ConvertTo-Json -Compress) }
}

$content = [System.IO.File]::ReadAllText((Resolve-Path -LiteralPath $Path))
$found = @($client.Matches($content)) + @($server.Matches($content) | Where-Object { $_.Value -notmatch '^\uFEFF?<!\[LOG\[' })
$found | ForEach-Object { ConvertTo-Record $_ } | Sort-Object Index | ForEach-Object { $_.Json }
