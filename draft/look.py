from mnist_study.records import summary
from mnist_study.story import judged
import numpy as np, json, time
for n in ("taught_by_census","taught_by_both","taught_by_students","dense_dropout","classic_mlp","cnn"):
    p=summary.populations(n); print(n,{k:(round(100*v["errors"]/v["n"],2),[round(100*x,2) for x in v["ci95"]]) if isinstance(v,dict) else v for k,v in p.items()})
t=time.time()
from mnist_study.records.intervals import error_change
from mnist_study.core import data
W=data.test_writers(); st=W=="students"
for a,b in (("taught_by_both","taught_by_students"),("taught_by_both","taught_by_census")):
    wa,wb=summary.wrong(a),summary.wrong(b)
    print(a,b,"students",error_change(wa[:,st],wb[:,st],W[st]) ,"census",error_change(wa[:,~st],wb[:,~st],W[~st]))
print(time.time()-t)
print(json.dumps(judged.summed_up(),indent=0,default=str).replace("\n"," "))
for n in judged.JUDGED:
    print(n,"uci x",judged.errors_times(n,"uci"),"small x",judged.errors_times(n,"small"), judged.breaking(n))
    print({k:v.round(3).tolist() for k,v in judged.under_damage(n).items()})
print(judged.hard_rows(), judged.contested_misread())
for n in summary.LADDER:
    try: k=summary.kept(n)
    except Exception as e: print(e); continue
    v=[1-r["noisy_accuracy"] for r in k.values()]; print(n,"noise",np.mean(v).round(4),np.std(v,ddof=1).round(4))
    if "damage" in list(k.values())[0]:
        print("   blur", np.mean([r["damage"]["blur, pixels"] for r in k.values()],0).round(3), "noise", np.mean([r["damage"]["noise, standard deviation"] for r in k.values()],0).round(3))
print(summary.choices())
for n in ("dense_dropout","cnn"): print(n,[len(r["misread"]) for r in summary.kept(n).values()], summary.over_seeds(n)["validation_accuracy"], summary.over_seeds(n)["processor_times"])
a=summary.kept("dense_taught_twice"); print([ (r["test_accuracy"],r["validation_accuracy"],r["fit_seconds"],r["processor_seconds"]) for r in a.values()])
