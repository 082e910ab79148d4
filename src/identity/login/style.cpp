#include "identity/login/pages.h"

namespace mandate::identity {

const std::string_view kStyle = R"css(
:root{color-scheme:light dark;--page:#f3f4f7;--card:#fff;--ink:#16181d;--soft:#5b6270;--line:#868e9c;--hair:#dfe2e8;--edge:#c5cad4;--accent:#2f5bd7;--accent-ink:#fff;--accent-down:#2449b0;--bad:#a3161e;--bad-page:#fdecec;--bad-line:#f2b8bb;--shade:0 1px 2px rgba(18,24,40,.06),0 8px 28px rgba(18,24,40,.08)}
@media (prefers-color-scheme:dark){:root{--page:#101217;--card:#191c23;--ink:#eceef2;--soft:#a3abba;--line:#6d7686;--hair:#2b303b;--edge:#414857;--accent:#8fadff;--accent-ink:#0d1530;--accent-down:#adc3ff;--bad:#ffb3b0;--bad-page:#351a1c;--bad-line:#6d2f31;--shade:0 0 0 1px #23272f}}
*{box-sizing:border-box}
html{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","DejaVu Sans",sans-serif;-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;display:flex;flex-direction:column;align-items:center;justify-content:center;padding:24px 16px;background:var(--page);color:var(--ink)}
main{width:100%;max-width:400px;padding:36px 36px 28px;background:var(--card);border-radius:16px;box-shadow:var(--shade)}
h1{margin:0;font-size:1.5rem;line-height:1.25;font-weight:650;letter-spacing:-.01em}
.to{margin:6px 0 26px;color:var(--soft);overflow-wrap:anywhere}
.to strong{color:var(--ink);font-weight:600}
.bad{margin:0 0 20px;padding:11px 14px;border:1px solid var(--bad-line);border-radius:10px;background:var(--bad-page);color:var(--bad);font-size:.9375rem;overflow-wrap:anywhere}
.ways{margin:0;padding:0;list-style:none;display:grid;gap:10px}
.way{display:flex;align-items:center;gap:12px;min-height:48px;padding:8px 14px;border:1px solid var(--edge);border-radius:10px;color:var(--ink);font-weight:550;text-decoration:none;overflow-wrap:anywhere}
.way span:first-child{flex:none;display:grid;place-items:center;width:26px;height:26px;border-radius:7px;background:var(--ink);color:var(--card);font-size:.8125rem;font-weight:700}
.way:hover{border-color:var(--line)}
.or{display:flex;align-items:center;gap:12px;margin:20px 0 14px;color:var(--soft);font-size:.875rem}
.or::before,.or::after{content:"";flex:1;height:1px;background:var(--hair)}
form{display:grid;gap:16px;margin:0}
label{display:block;margin-bottom:6px;font-size:.9375rem;font-weight:550}
input,select{width:100%;min-height:46px;padding:9px 13px;border:1px solid var(--line);border-radius:10px;background:var(--card);color:var(--ink);font:inherit}
.hint{margin:6px 0 0;color:var(--soft);font-size:.8125rem}
button{min-height:48px;margin-top:4px;padding:10px 16px;border:0;border-radius:10px;background:var(--accent);color:var(--accent-ink);font:inherit;font-weight:600;cursor:pointer}
button:hover{background:var(--accent-down)}
a{color:var(--accent)}
.foot{margin:22px 0 0;color:var(--soft);font-size:.9375rem;text-align:center}
.foot a{display:inline-block;padding:4px 0;font-weight:550}
.note{margin:14px 0 0;overflow-wrap:anywhere}
.id{margin:22px 0 0;color:var(--soft);font-size:.8125rem;overflow-wrap:anywhere}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (max-width:480px){body{justify-content:flex-start;padding:0;background:var(--card)}main{max-width:none;padding:40px 22px 28px;border-radius:0;box-shadow:none}}
@media (forced-colors:active){main,button,.way{border:1px solid}}
)css";

}  // namespace mandate::identity
